#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The documents hold together: links lead somewhere (headings too), every page is in the index, every module in src/README.md,
no path of docs/ that the sources name is missing, the README is short, and so are examples and what functions are built with."""
import glob
import os
import re
import sys

os.chdir(os.environ.get("S3N_SOURCE") or os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
SKIPPED = {"build", "node_modules", ".git"}
passed = failed = 0


def case(name: str, wrong: list[str]) -> None:
    global passed, failed
    passed, failed = passed + (not wrong), failed + bool(wrong)
    print(f"FAIL  {name}: {'; '.join(wrong[:5])}" if wrong else f"ok    {name}")


def files(*endings: str) -> list[str]:
    found = []
    for folder, folders, names in os.walk("."):
        folders[:] = [name for name in folders if name not in SKIPPED and not name.startswith("build")]
        found += [os.path.normpath(os.path.join(folder, name)) for name in names if name.endswith(endings)]
    return sorted(found)


def text_of(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()


def prose(text: str) -> str:
    return re.sub(r"^( *)```.*?^ *```", "", text, flags=re.S | re.M)


def anchors(path: str) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", prose(text_of(path)), flags=re.M)
    plain = [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower() for heading in headings]
    return {re.sub(r"[^\w\- ]", "", heading.strip()).replace(" ", "-") for heading in plain}


def links(path: str) -> list[tuple[str, str]]:
    """Target (from the top folder) and heading of each link that stays here."""
    found = []
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(text_of(path))):
        if not re.match(r"[a-z]+:", link):
            target, _, heading = link.partition("#")
            found.append((os.path.normpath(os.path.join(os.path.dirname(path), target)) if target else path, heading))
    return found


def main() -> None:
    pages = files(".md")
    dead = [f"{page}: {target}#{heading}" for page in pages for target, heading in links(page)
            if not os.path.exists(target) or (heading and target.endswith(".md") and heading not in anchors(target))]
    case(f"links of {len(pages)} pages", dead)
    indexed = {target for target, _ in links("docs/README.md")}
    case("the index has every page", [page for page in glob.glob("docs/*.md") if page not in indexed | {"docs/README.md"}])
    modules = re.findall(r"^(\w+):", text_of("src/MODULES"), flags=re.M)
    case("src/README.md has the modules in their order",
         [] if re.findall(r"^\| `(\w+)` \|", text_of("src/README.md"), flags=re.M) == [*modules, "cmd"] else ["other modules than src/MODULES"])
    case("examples/README.md has every example",
         [name for name in sorted(os.listdir("examples")) if os.path.exists(f"examples/{name}/s3n.toml") and f"({name}/README.md)" not in text_of("examples/README.md")])
    named = [(path, page) for path in files(".c", ".h", ".md", ".py", ".bash", ".sh", ".toml", ".yaml", ".rs", ".go", ".ts", ".mjs")
             for page in re.findall(r"\bdocs/[A-Za-z-]+\.md\b", text_of(path))]
    case("pages that sources name", [f"{path}: {page}" for path, page in named if not os.path.exists(page)])
    programs = [path for path in files(".c", ".h", ".rs", ".go", ".ts", ".mjs", ".js", ".html") if path.startswith(("examples/", "sdk/"))]
    case(f"{len(programs)} files of examples and SDKs are short", [path for path in programs if text_of(path).count("\n") > 300])
    sizes = re.findall(r"^\| \[`(sdk/\w+)`\]\([^|]*\| (\d+)", text_of("docs/sdks.md"), flags=re.M)
    case("SDKs are as large as docs/sdks.md says", [f"{len(sizes)} SDKs"] * (len(sizes) != 4) + [f"{sdk}: {lines} lines" for sdk, most in sizes
         if not int(most) - 100 < (lines := sum(text_of(path).count("\n") for path in programs if path.startswith(sdk + "/"))) <= int(most)])
    lines = text_of("README.md").count("\n")
    case("the README is short", [f"{lines} lines"] if lines > 120 else [])
    print(f"{passed} passed, {failed} failed, 0 skipped")
    sys.exit(failed != 0)


main()
