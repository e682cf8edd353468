"""Scales a column by parameters that are learned from it, or given."""

import argparse
import csv
import json

parser = argparse.ArgumentParser()
parser.add_argument("--raw_data", required=True)
parser.add_argument("--xform_params_in")
parser.add_argument("--prepped_data", required=True)
parser.add_argument("--xform_params_out", required=True)
args = parser.parse_args()

with open(args.raw_data, newline="") as file:
    values = [float(row["area"]) for row in csv.DictReader(file)]
if args.xform_params_in:
    with open(args.xform_params_in) as file:
        params = json.load(file)
    print("parameters were given")
else:
    params = {"mean": sum(values) / len(values)}
    print("parameters were learned")
with open(args.prepped_data, "w", newline="") as file:
    csv.writer(file).writerows([["area"], *([value - params["mean"]] for value in values)])
with open(args.xform_params_out, "w") as file:
    json.dump(params, file)
