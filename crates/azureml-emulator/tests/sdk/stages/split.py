"""Splits rows into those to train with and those to test with, at random but the same each time."""

import argparse
import csv
import random

parser = argparse.ArgumentParser()
for name in ["input_data", "test_size", "random_state", "X_train", "y_train", "X_test", "y_test"]:
    parser.add_argument(f"--{name}", required=True)
args = parser.parse_args()

with open(args.input_data, newline="") as file:
    rows = list(csv.DictReader(file))
random.Random(int(args.random_state)).shuffle(rows)
n_test = round(len(rows) * float(args.test_size))
for rows, X, y in [(rows[n_test:], args.X_train, args.y_train), (rows[:n_test], args.X_test, args.y_test)]:
    with open(X, "w", newline="") as file:
        csv.writer(file).writerows([["area"], *([row["area"]] for row in rows)])
    with open(y, "w", newline="") as file:
        csv.writer(file).writerows([["price"], *([row["price"]] for row in rows)])
    print(f"{len(rows)} rows", flush=True)
