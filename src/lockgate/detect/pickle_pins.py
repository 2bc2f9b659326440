"""SHA-256 of each pickle allow-list, written by `tools/make_allowlists.py`."""

PINNED: dict[str, str] = {
    "catboost.json": "750df4cea7e9eb1918994841230730d43ccb94169989bb8efd4de48c15a2f594",
    "category-encoders.json": "46b25f45b2c614caa30b3028a87d72445800b02b9f2f1610f0c5183401f34b2e",
    "gensim.json": "209e01a1dcfd49d22eb82c1ae344e583a535a77df64a02608527b655f8b75bb7",
    "hmmlearn.json": "866c34c8f796c45100b21cf2547129da5b78373b06059d0048271f31c30c5ebb",
    "imbalanced-learn.json": "83954a24055ff9d6513707ac00b9d0f91db82826ffaeb49b940874b0ca9fa2c0",
    "joblib.json": "efe6d2264ccd7628f1db3989ed924718d143575038515fadda945708c2eb2834",
    "lightgbm.json": "69c426266cfd7ab9dd8668fdd05afd7acd0f4ebe998656c80f58b17edbb84b0b",
    "networkx.json": "869fc466c1a30a5f8101eefd9313059ece844b2af91bc7e27ad573b25813d766",
    "numpy.json": "a9b82d1a133d119189692c96e44b8aeca612601aecb8aaeb58a64c3c679d9728",
    "pandas.json": "aaad8006bdc97d9a265b7911914d87253d5b2994db365e9f622437edd1852b4a",
    "python.json": "8ebf6ff195f905a0e7641d3b78593b1ae320d2868dde9c2d745c3ed99d13e7f2",
    "scikit-learn.json": "c2622c901f95ea747d174689299186c15ae0ad34b070b4c73aff05f7696ef6d9",
    "scipy.json": "9f907aa9f9e6364dfe855e32d87d7edcdc4efb03d80e3cc0e0580273f14be812",
    "sentence-transformers.json": "a6ce6d1949447f0a9c28b1d52df3c89e8b15532d2e38b385ab2cb535ab382ad9",
    "torch.json": "6739d87892fa591d4ee57f7962d95f769501693ee60c62ee86e359323efaef1b",
    "torchscript.json": "b392ba8ff4896ea4bf7999c96c5e7661b73a2844f52e1dfac10818f22c608386",
    "transformers.json": "34c407e3ab6c327e4eadd698b1a5ffb136e6b1e5a55ca014f40153145106ce45",
    "xgboost.json": "b7eca1018205ff812d2df87fa3b9984446d252c5b117f18a81b2fdc31a79dc56",
}
