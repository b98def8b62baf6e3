"""Lints the chart and renders it with Helm's own library (pip install helm-python-sdk kubernetes-validate pyyaml).

Prints what it rendered; `cargo xtask deploy-check` hands that to kubernetes-validate.
"""

import pathlib
import sys

import helm_python as helm

CHART = pathlib.Path(__file__).parent / "egret"
# Everything off and everything on, so that each branch of each template is rendered.
CASES = {
    "default": {},
    "all": {
        "replicaCount": 3,
        "imagePullSecrets": [{"name": "pull"}],
        "files": {"existingClaim": "egret-files"},
        "ingress": {"enabled": True, "className": "nginx", "host": "egret.example.org", "tlsSecret": "tls"},
        "serviceMonitor": {"enabled": True, "tokenSecret": "metrics"},
        "networkPolicy": {"enabled": True, "fromNamespaces": ["monitoring", "ingress"]},
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [{"key": "a", "operator": "Exists"}],
        "podAnnotations": {"a": "b"},
    },
    "none": {
        "secrets": [],
        "networkPolicy": {"enabled": False},
        "podDisruptionBudget": {"enabled": False},
    },
}
# What values.schema.json must refuse.
WRONG = [{"replicaCount": "two"}, {"replicas": 2}, {"url": "egret.example"}, {"database": {"existingSecret": ""}}]


def main() -> int:
    folder = pathlib.Path(sys.argv[1])
    failed = False
    for name, values in CASES.items():
        report = helm.lint(str(CHART), values, strict=True)
        for message in report.get("messages") or []:
            # An icon is recommended, and no more than that.
            if message["severity"] >= 2:
                failed = True
                print(f"{name}: {message['path']}: {message['error']}")
        with helm.Chart.load(CHART) as chart:
            rendered = chart.render(values, name="egret", namespace="mastodon")
        for path, text in rendered.items():
            if text.strip() and path.endswith(".yaml"):
                (folder / f"{name}-{pathlib.Path(path).name}").write_text(text)
    with helm.Chart.load(CHART) as chart:
        for values in WRONG:
            try:
                chart.validate_schema(chart.merge_values(values) | values)
            except Exception:
                continue
            failed = True
            print(f"values.schema.json takes {values}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
