"""SHA-256 of each pickle allow-list, written by `tools/make_allowlists.py`."""

PINNED: dict[str, str] = {
    "joblib.json": "1718b03d663c7f0a5635aa18cdbfd0c3291ad89af5409a5af73d108ea7493786",
    "lightgbm.json": "afa7f780922bcf918a5f619743e0f83a047a4f46536b1f587ae3ed7fdb959e19",
    "numpy.json": "5a6379ec426c97841e93d7f5fe4b48178feec9f5b04b10557be110529294d56a",
    "pandas.json": "2149644ce80fdbfca1fd4f8f7bcd33f1caeb1875235ea0a4de0943e4b75dd5db",
    "python.json": "d1b6160896e27076c455005662cc33b59dae343f9fcc18ee1e9775954a9aed72",
    "scikit-learn.json": "7f5041726402d123c8fe607282d21b908800dd93bf2d1d63b2a0bc86189fe3a0",
    "scipy.json": "78477f160a37b9b189ffe12f109836ba5c4aad65ea52155058d8ff0dbdcc15cd",
    "sentence-transformers.json": "a6ce6d1949447f0a9c28b1d52df3c89e8b15532d2e38b385ab2cb535ab382ad9",
    "torch.json": "2c9edef8c87215300705ec7a14b84074498cfd82bf8a2279e7427c72ae59cc20",
    "torchscript.json": "fcaad84b3b4d3daa50b53cd5211f1b3e4a8c8783482e81e7f7015ac18d8bb31c",
    "transformers.json": "20845d8bebbbcddc845a424b7a07267dbfdfd8acbda1b6746014f61a314cf4f9",
    "xgboost.json": "3f5503138c9221f78d4f03b6729b7ab499f41e0ac1a7c42588d8ac5f839587cc",
}
