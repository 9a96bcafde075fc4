"""Small files in the layouts of the published subgraph data, with known contents."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from graphenv.seeding import rng

__all__ = ["PROTEINS", "lines", "screens_and_network", "target_qa", "write_lines", "write_prizes"]

PROTEINS = [f"P{n:02}" for n in range(60)]
TISSUES = ("Breast", "Lung", "Skin", "Bone", "Liver", "Kidney")


def lines() -> list[dict[str, Any]]:
    """Return 48 cell lines of six tissues; two depend on a gene of their own."""
    made = []
    for number in range(48):
        tissue = TISSUES[number % len(TISSUES)]
        draw = rng("cell line", number)
        genes = {PROTEINS[i] for i in draw.choice(40, size=8, replace=False)}
        genes |= {"P50", "P51"}  # needed by every line, without being listed as pan-essential
        genes |= {"P52"} if tissue == "Lung" else set()
        genes |= {"P53"} if number == 1 else set()  # a gene that one line of Lung alone needs
        genes |= {"NOT_IN_NETWORK", "P54", "P55"}  # P54 is pan-essential, P55 was not screened
        made.append(
            {
                "cell_line_id": f"ACH-{number:06}",
                "name": f"L{number}",
                "tissue": tissue,
                "cancer_type": f"{tissue} Carcinoma",
                "cancer_type_detail": f"{tissue} Adenocarcinoma",
                "n_dependencies_all": len(genes),
                "selective_dependencies": sorted(genes),
            }
        )
    return made


def write_lines(root: Path, rows: list[dict[str, Any]], name: str = "cell_lines_visible") -> None:
    text = "\n".join(json.dumps(row) for row in rows)
    (root / "gene_dependency" / f"{name}.jsonl").write_text(text + "\n", encoding="utf-8")


def screens_and_network(root: Path) -> Path:
    """Write gene_dependency and ppi_iref13: a ring of 60 proteins with chords."""
    (root / "gene_dependency").mkdir(parents=True)
    (root / "ppi_iref13").mkdir()
    write_lines(root, lines())
    screened = [name for name in PROTEINS if name != "P55"]
    (root / "gene_dependency" / "gene_universe.txt").write_text("\n".join(screened))
    (root / "gene_dependency" / "pan_essential.tsv").write_text("gene\ttier\nP54\tTier1\n")
    draw = rng("network of the tests")
    pairs = {(n, (n + 1) % 60) for n in range(60)}
    pairs |= {tuple(draw.choice(60, size=2, replace=False).tolist()) for _ in range(60)}
    rows = [
        f"{PROTEINS[a]}\t{PROTEINS[b]}\t{draw.integers(20, 95) / 100}" for a, b in sorted(pairs)
    ]
    rows += ["P00\tP00\t0.9", "P00\tP01\t0.99", "P01\tP00\t0.5"]
    (root / "ppi_iref13" / "iref13_interactome.tsv").write_text("\n".join(rows) + "\n")
    return root


def write_prizes(root: Path) -> Path:
    """Write two prize files beside the network."""
    folder = screens_and_network(root) / "ppi_iref13" / "prizes"
    folder.mkdir()
    changes = [f"{name}\t{(-1) ** n * (0.5 + n / 20)}" for n, name in enumerate(PROTEINS)]
    changes += ["SULT1A3 /// SULT1A4\t-1.36", "P07\t-0.1"]
    (folder / "a__exp.txt").write_text("\n".join(changes) + "\n")
    terminals = [f"{name} 1.0" for name in PROTEINS[:50]]
    (folder / "b__path.terminal").write_text("\n".join(terminals) + "\n")
    (folder / "README.md").write_text("No prizes here.")
    return root


def target_qa(root: Path) -> Path:
    """Write the two files of Target-QA; one sample stands in both."""
    folder = root / "QA_Data"
    folder.mkdir(parents=True)

    def sample(number: int) -> dict[str, Any]:
        draw = rng("sample", number)
        picks = [[PROTEINS[i] for i in draw.choice(40, 5, replace=False)] for _ in range(5)]
        pairs = [f"{a} -> {b}" for a, b in zip(picks[3], picks[4], strict=True)]
        names = [{"hgnc_symbols": symbols, "protein_bmgc_ids": []} for symbols in picks]
        gold = [PROTEINS[i] for i in draw.choice(40, 12, replace=False)]
        return {
            "cell_line_name": f"L{number}",
            "disease": f"disease {number % 3}",
            "input": {
                "top_k_gene": names[0],
                "top_k_transcript": names[1],
                "top_k_protein": {"hgnc_symbols": [*picks[2], float("nan")]},
                "knowledge_graph": {"disease_protein": names[3], "protein_relationships": pairs},
            },
            "ground_truth_answer": {"top_bm_gene": {"hgnc_symbols": [*gold, f"ONLY_{number}"]}},
        }

    for part, numbers in (("tr", range(30)), ("te", range(29, 40))):
        rows = {f"ACH-{n:06}": sample(n) for n in numbers}
        path = folder / f"multi_sample_qa_info_k5_bm13_{part}.json"
        path.write_text(json.dumps(rows), encoding="utf-8")
    return root
