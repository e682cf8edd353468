"""What the workshop deploys behind Azure ML's inference server: pandas and scikit-learn, records in, a list of prices out.

Written anew to the contract of its second lesson. The body is `{"data": [records]}`; the folder that AZUREML_MODEL_DIR names holds
one folder with the model and what its features need to know.
"""

import json
import os
from pathlib import Path

import joblib
import pandas as pd


def init() -> None:
    global model, params
    folder = next(Path(os.environ["AZUREML_MODEL_DIR"]).iterdir())
    model = joblib.load(folder / "model.pkl")
    params = json.loads((folder / "xform_params.json").read_text())


def run(raw_data: str) -> list[float]:
    table = pd.DataFrame(json.loads(raw_data)["data"])
    table["MasVnrType"] = table["MasVnrType"].fillna(params["masvnrtype_mode"])
    table["LotFrontage"] = table["LotFrontage"].fillna(params["lotfrontage_mean"])
    mapping = params["exterqual_mapping"]
    table["ExterQual"] = table["ExterQual"].map(mapping).fillna(mapping[params["exterqual_na"]])
    table["OverallQual"] = table["OverallQual"].clip(1, 10)
    table["HouseAge"] = table["YrSold"] - table["YearBuilt"]
    table = pd.get_dummies(table, columns=params["categorical_cols"])
    return model.predict(table.reindex(columns=params["final_columns"], fill_value=0)).tolist()
