"""SHA-256 of each pickle allow-list, written by `tools/make_allowlists.py`."""

PINNED: dict[str, str] = {
    "joblib.json": "efe6d2264ccd7628f1db3989ed924718d143575038515fadda945708c2eb2834",
    "lightgbm.json": "69c426266cfd7ab9dd8668fdd05afd7acd0f4ebe998656c80f58b17edbb84b0b",
    "numpy.json": "c150a107b1cb810d2351d64a1bbd089311216ba34bc59f420355b937ae30dab9",
    "pandas.json": "aaad8006bdc97d9a265b7911914d87253d5b2994db365e9f622437edd1852b4a",
    "python.json": "bc3ac0455d6f5787fbaa26e214829b52635bbc44824116a8b838401b3fffcb94",
    "scikit-learn.json": "3439fe776f2cffcb9a5334415644afac7980468184798e68f67e31fad322fbf9",
    "scipy.json": "9f907aa9f9e6364dfe855e32d87d7edcdc4efb03d80e3cc0e0580273f14be812",
    "sentence-transformers.json": "a6ce6d1949447f0a9c28b1d52df3c89e8b15532d2e38b385ab2cb535ab382ad9",
    "torch.json": "6739d87892fa591d4ee57f7962d95f769501693ee60c62ee86e359323efaef1b",
    "torchscript.json": "b392ba8ff4896ea4bf7999c96c5e7661b73a2844f52e1dfac10818f22c608386",
    "transformers.json": "34c407e3ab6c327e4eadd698b1a5ffb136e6b1e5a55ca014f40153145106ce45",
    "xgboost.json": "b7eca1018205ff812d2df87fa3b9984446d252c5b117f18a81b2fdc31a79dc56",
}
