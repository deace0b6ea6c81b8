"""Reading prompt sets: what is understood, what is refused line by line, and what is named because it is not used."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.errors import ImportRefused
from lib.prompt_sets import MOST_BYTES, MOST_PROMPTS, Check, Prompt, pack_prompts, unpack_prompts
from lib.prompt_sets.reading.read import FORMATS, Format, read_set


def read(text: str | bytes, name: str = "pasted", forced: Format | None = None) -> tuple[Prompt, ...]:
    return read_set(name, text if isinstance(text, bytes) else text.encode(), forced).prompts


def refusal(text: str | bytes, name: str = "pasted", forced: Format | None = None) -> str:
    with pytest.raises(ImportRefused) as caught:
        read(text, name, forced)
    assert caught.value.safe == "Nothing was stored or sent."
    return caught.value.what


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_table_fills_variables_from_its_columns(separator: str, encoding: str) -> None:
    rows = [
        ["id", "Prompt", "Expected", "city", "check"],
        ["a", "Where is {{ city }}?", "In {{city}}", "Zürich", "contains"],
        ["b", '"Two\r\nlines"', "", "Rome", ""],
    ]
    found = read("\r\n".join(separator.join(row) for row in rows).encode(encoding))
    assert found == (
        Prompt("a", "Where is Zürich?", "", "In Zürich", {"city": "Zürich"}, (Check("contains", "In Zürich"),)),
        Prompt("b", "Two\nlines", "", "", {"city": "Rome"}),
    )
    assert unpack_prompts(pack_prompts(found)) == found


def test_json_lines_json_and_plain_lines() -> None:
    lines = '{"prompt": "2 + {{n}}?", "expected": 4, "vars": {"n": 2}}\n\n{"prompt": "Say NaN", "id": 7}'
    assert read(lines) == (Prompt("1", "2 + 2?", "", "4", {"n": "2"}), Prompt("7", "Say NaN"))
    assert read('["one", {"question": "two", "target": "2"}]') == (Prompt("1", "one"), Prompt("2", "two", "", "2"))
    assert read("Say {{this}}.\n\n  And that. ") == (Prompt("1", "Say {{this}}."), Prompt("2", "And that."))


def test_a_text_that_was_filled_in_is_not_filled_in_again() -> None:
    assert read('{"prompt": "{{a}}", "a": "{{b}}", "b": "no"}')[0].text == "{{b}}"


def test_every_line_that_is_wrong_is_named() -> None:
    said = refusal(
        '{"prompt": ""}\nnonsense\n{"prompt": "x", "id": "a"}\n{"prompt": "y {{z}}"}\n{"prompt": 1, "id": "a"}'
    )
    assert "Line 1: the prompt is empty." in said
    assert "Line 2: it is not valid JSON" in said
    assert "Line 4: there is no value for {{z}}." in said
    assert "Line 5: the id “a” was used already, see Line 3." in said
    said = refusal("prompt,check,expected\nx,regex,(\ny,vibes,z\nz,exact,\nw,a,b,c,d")
    assert "Line 2: the regular expression cannot be used" in said
    assert "Line 3: the check “vibes” is not known" in said
    assert "Line 4: the check “exact” has nothing to look for." in said
    assert "Line 5: it has 5 values, and the header has 3." in said


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "nothing in it"),
        (b"prompt\nok\n\xff", "Line 3 is not valid UTF-8"),
        (b"a\n\0", "Line 2 holds a zero byte"),
        (b"PK\x03\x04rest", "a zip archive"),
        (b"x" * (MOST_BYTES + 1), "more than 8 MB"),
        (b'{"prompt": NaN}', "NaN is not JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"prompt": ["a"]}', "is a list"),
        (b"question,prompt\na,b", "mean the same"),
        (b"name,city\na,b", "Line 1: there is no column"),
        (b'prompt\n"open', "not valid CSV"),
        (b"\n".join([b"x"] * (MOST_PROMPTS + 1)), "1,001 prompts"),
    ],
)
def test_what_cannot_be_read_is_said_in_words(raw: bytes, words: str) -> None:
    assert words in refusal(raw, "set.csv" if b"," in raw or b'"open' in raw else "pasted")


PROMPTFOO = """
prompts:
  - 'Capital of {{country}}?'
  - '[{"role": "system", "content": "Be brief."}, {"role": "user", "content": "{{country}}: capital"}]'
providers: [openai:gpt-4o]
defaultTest:
  assert:
    - {type: latency, threshold: 10}
tests:
  - vars: {country: France}
    assert:
      - {type: equals, value: Paris}
      - {type: llm-rubric, value: 'names {{country}}’s capital'}
  - vars: {country: 0123}
    assert: [{type: is-json}, {type: not-contains, value: x}]
"""


def test_promptfoos_configuration_maps_and_names_what_does_not() -> None:
    found = read_set("promptfooconfig.yaml", PROMPTFOO.encode())
    assert [(each.id, each.system, each.text) for each in found.prompts] == [
        ("1.1", "", "Capital of France?"),
        ("1.2", "Be brief.", "France: capital"),
        ("2.1", "", "Capital of 0123?"),
        ("2.2", "Be brief.", "0123: capital"),
    ]
    assert found.prompts[0].checks == (Check("exact", "Paris"), Check("judge", "names France’s capital"))
    assert found.prompts[2].checks == (Check("json"),)
    assert found.notes == (
        "2 checks “latency” are not made",
        "1 check “not-contains” is not made",
        "“providers” and “targets” are not used: the models are chosen here",
    )
    as_json = {"prompts": ["{{a}}"], "tests": [{"vars": {"a": 1}, "assert": [{"type": "regex", "value": "^1"}]}]}
    assert read(json.dumps(as_json))[0].checks == (Check("regex", "^1"),)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("prompts: [&a x, *a]", "Line 1 has a YAML alias"),
        ("prompts: [file://p.txt]", "prompts[0]: it is in another file"),
        ("prompts: [x]\ntests: file://t.csv", "tests are in another file"),
        ("prompts: [x]\ntests: [{vars: {a: [1, 2]}}]", "“a” is a list"),
        ("prompts: ['{{ a | upper }}']", "prompts[0]: it has a template"),
        ("prompts: [x\ntests: y", "is not valid YAML"),
        ("prompts: " + "[" * 200, "nested too deeply"),
    ],
)
def test_what_promptfoo_allows_and_we_do_not_is_refused_in_words(text: str, words: str) -> None:
    assert words in refusal(text, "promptfooconfig.yaml")


def test_inspects_samples_are_read_as_they_are() -> None:
    lines = [
        {"input": "2 + {{2}}?", "target": "4", "id": 1, "metadata": {"level": "easy"}, "sandbox": "docker"},
        {"input": [{"role": "system", "content": "Hi"}, {"role": "user", "content": "Go"}], "target": ["a"]},
    ]
    found = read_set("samples.jsonl", "\n".join(map(json.dumps, lines)).encode())
    assert found.prompts == (Prompt("1", "2 + {{2}}?", "", "4", {"level": "easy"}), Prompt("2", "Go", "Hi", "a"))
    assert found.notes == ("“sandbox” of 1 sample is not used",)
    assert read('{"input": "x", "expected": "y"}') == (Prompt("1", "x", "", "y"),)
    assert read('{"input": [{"role": "user", "content": "x"}], "ideal": "y"}') == (Prompt("1", "x", "", "y"),)
    assert "3 targets" in refusal('{"input": "x", "target": ["a", "b", "c"]}')
    assert "choices" in refusal('{"input": "x", "choices": ["a"]}')


anything = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=200).map(lambda text: text.encode(errors="surrogatepass")),
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.floats(), st.text(max_size=5)),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.dictionaries(st.sampled_from(["prompts", "prompt", "input", "tests", "vars", "assert", "id"]), inner),
        ),
        max_leaves=8,
    ).map(lambda value: json.dumps(value).encode()),
)


@given(anything, st.sampled_from([None, *FORMATS]), st.sampled_from(["a.csv", "a.yaml", "a.jsonl", ""]))
def test_any_bytes_are_read_or_refused_in_words(raw: bytes, forced: Format | None, name: str) -> None:
    try:
        found = read_set(name, raw, forced)
    except ImportRefused:
        return
    assert 1 <= len(found.prompts) <= MOST_PROMPTS
    assert len({prompt.id for prompt in found.prompts}) == len(found.prompts)
    assert unpack_prompts(pack_prompts(found.prompts)) == found.prompts
