# ruff: noqa: E501 - a table
"""Issuers whose credentials have a length and an alphabet but no prefix: the name beside the value says whose it is."""

from lockgate.detect.linear import Pattern, pattern

_ALPHABETS = {
    "h": "[A-Fa-f0-9]",
    "l": "[a-z0-9]",
    "u": "[A-Z0-9]",
    "w": "[A-Za-z0-9]",
    "s": "[A-Za-z0-9_-]",
    "b": "[A-Za-z0-9+/=_.-]",
}
_UUID = "[A-Fa-f0-9]{8}(?:-[A-Fa-f0-9]{4}){3}-[A-Fa-f0-9]{12}"

# Name, then alphabet and length of each kind. Lengths are those of the keys that the issuer hands out today.
_TABLE: str = """
abuseipdb h80 | adafruit s32 | adyen b60+ | ai21 w32 | aiven b60+ | algolia h32 | alibaba w30 | alphavantage u16
amplitude h32 | anyscale s40+ | apigee w32 | appcenter h40 | asana w16 h32 b50+ | assemblyai h32 | auth0 s64 | azure h32 w84 b44 b88
baseten b41 | bing h32 | binance w64 | bitbucket w32 w20 | bitly h40 | bittrex h32 | box w32 | braintree h32 | bugsnag h32 | bunny uuid
calendly b60+ | censys w32 uuid | cerebras s40+ | chargebee w32 | circleci h40 | clarifai h32 | clearbit b35 | clickhouse w42
clockify w48 | cloudflare s37 s40 h37 | cloudinary s27 | codecov uuid h32 | cohere w40 | coinbase s64 w16 | comet w25
confluent w64 b64 w16 | consul uuid | contentful s43 | coveralls w32 | databricks h36 | datadog h32 h40 | deepgram h40
deepinfra w32 | deepl uuid | digitalocean h64 | discord s32 | disqus w64 | docusign uuid | dropbox l15 b64+ | drone w32
elastic w24 b60+ | etherscan u34 | exa uuid | facebook h32 | fastly s32 | finnhub l20 l40 | firebase b60+ | fivetran w32 | flickr h32
flutterwave h32 | freshdesk w20 | galileo s40+ | giphy w32 | gitea h40 | github h40 | gitlab s20 | gitter h40 | grafana b60+ | guardian uuid
harvest s97 | heap uuid | heroku uuid | hetzner w64 | honeycomb h32 w22 | hubspot uuid | hunter h40 | ibm s44 | infura h32 | instagram h32
intercom b60 | ipinfo h14 | ipstack h32 | jenkins h34 | jira w24 | kraken b56 b88 | lambda b60+ | langfuse uuid | lastpass h32
lemonsqueezy b60+ | linode h64 | linkedin w16 | lokalise h40 | loggly uuid | logzio w32 | mailgun h32 | mailjet h32 | mandrill s22
mapquest w32 | mattermost l26 | maxmind w16 w40 | messagebird w25 | mistral w32 | mixpanel h32 | monday b60+ | moralis w64
netlify s43 s45 s40 | newrelic w40 h32 | newsapi h32 | ngrok s49 | nightfall s40+ | nomad uuid | okta s42 | openweather h32 | opsgenie uuid
optimizely b40+ | ovh w16 w32 | pagerduty s20 s32 | papertrail w20 | paypal s80 | pendo uuid | pexels w56 | pinecone uuid | pingdom s64
pipedrive h40 | plaid h30 | plivo s40 | polygon s32 | postmark uuid | pusher h20 | qdrant s40+ | quickbooks w40 | railway uuid
rapidapi w50 | razorpay w24 | recaptcha s40 | recurly h32 | rollbar h32 | runpod w40 | sambanova uuid | sauce uuid | scaleway uuid
segment w32 | semaphore h40 | sendinblue b60+ | sentry h64 h32 | shodan w32 | shopify h32 | signalwire b40+ | slack h32 w24 | snowflake b40+
snyk uuid | sonarqube h40 | sparkpost h40 | splunk uuid | spotify h32 | squarespace uuid | stability b40+ | strava h40 | stripe b32+
sumologic w64 w14 | supabase b40+ | telnyx s55 | tencent w32 | tiingo h40 | tmdb h32 | together h64 | tomtom w32 | travis s22
trello h32 h64 | twilio h32 | twitch l30 | twitter w50 w45 b50 | typeform b44+ | unsplash s43 | upstash b40+ | urlscan uuid
vercel w24 | virustotal h64 | voyage s46 | vultr u36 | vonage w16 h8 | wandb h40 | weatherapi h31 | webex w64 | weights.{0,3}biases h40
workato h64 | yelp s128 | youtube s39 | zapier b40+ | zendesk w40 | zoom w32 | zoho h32
"""


def _length(count: str) -> str:
    return f"{{{count[:-1]},}}" if count.endswith("+") else f"{{{count}}}"


def _shape(kinds: list[str]) -> Pattern:
    shapes = [_UUID if kind == "uuid" else f"{_ALPHABETS[kind[0]]}{_length(kind[1:])}" for kind in kinds]
    return pattern(f"^(?:{'|'.join(shapes)})$")


def _parsed() -> dict[bytes, tuple[str, list[str]]]:
    rows = (row.split() for line in _TABLE.strip().splitlines() for row in line.split("|"))
    found: dict[bytes, tuple[str, list[str]]] = {}
    for name, *kinds in rows:
        found[name.encode()] = (f"secret.{name.partition('.')[0]}-credential", list[str](kinds))
    return found


_KINDS = _parsed()
_NAMES = pattern("(" + "|".join(sorted(name.decode() for name in _KINDS)) + ")")
_SHAPES: dict[str, Pattern] = {}


def issued(before: bytes, value: bytes) -> str | None:
    """The label of the issuer that `before` names, where `value` has the shape of its credentials.

    Args:
        before: What stands before the value, in small letters.
        value: The value.
    """
    for match in _NAMES.finditer(before):
        label, kinds = _KINDS.get(match.group() or b"", _KINDS[b"weights.{0,3}biases"])
        shape = _SHAPES.get(label) or _SHAPES.setdefault(label, _shape(kinds))
        if shape.search(value):
            return label
    return None


LABELS: tuple[str, ...] = tuple(sorted({label for label, _ in _KINDS.values()}))
"""Every label that `issued` may give."""
