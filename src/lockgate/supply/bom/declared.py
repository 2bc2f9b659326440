"""Writes what `lockgate.yaml` declares about others into a bill: data sets from outside, and third parties."""

from collections.abc import Iterable

from lockgate.core.config_supply import DataSetConfig, SourceConfig

JsonObject = dict[str, object]


def external_data(claims: Iterable[DataSetConfig]) -> list[JsonObject]:
    """CycloneDX components of data sets that come from outside."""
    components: list[JsonObject] = []
    for number, claim in enumerate(claims, start=1):
        ref = f"external-data:{number}"
        component: JsonObject = {
            "type": "data",
            "bom-ref": ref,
            "name": claim.name,
            "data": [{"type": "dataset", "name": claim.name}],
            "properties": _properties([("lockgate:kind", "data"), ("lockgate:origin", claim.origin)]),
        }
        if claim.revision:
            component["version"] = claim.revision
        if claim.licence:
            component["licenses"] = [{"license": {"name": claim.licence}}]
        if claim.origin.startswith("pkg:"):
            component["purl"] = claim.origin
        if claim.files:
            component["components"] = [
                {
                    "type": "file",
                    "bom-ref": f"{ref}:{uri}",
                    "name": uri,
                    "hashes": [{"alg": "SHA-256", "content": digest}],
                }
                for uri, digest in sorted(claim.files.items())
            ]
        components.append(component)
    return components


def third_parties(sources: Iterable[SourceConfig]) -> list[JsonObject]:
    """CycloneDX services of the inventory of third parties, with the day until which each review counts."""
    services: list[JsonObject] = []
    for number, source in enumerate(sources, start=1):
        until = source.reviewed_until.isoformat() if source.reviewed_until else "never reviewed"
        facts = [("lockgate:kind", source.kind), ("lockgate:reviewed-until", until)]
        facts += [("lockgate:review", source.review)] if source.review else []
        services.append(
            {
                "bom-ref": f"third-party:{number}",
                "name": source.name,
                "endpoints": [source.address if "://" in source.address else f"https://{source.address}"],
                "x-trust-boundary": True,
                "properties": _properties(facts),
            }
        )
    return services


def _properties(pairs: Iterable[tuple[str, str]]) -> list[JsonObject]:
    return [{"name": name, "value": value} for name, value in pairs]
