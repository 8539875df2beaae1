"""What a notebook shows of a history and of a verification: a table, its text escaped; and one line as `repr`."""

from __future__ import annotations

from neurograph.notebook import html_table
from neurograph.training import Epoch, History
from neurograph.verification import Report, Row


def test_a_history_is_one_line_and_a_table() -> None:
    history = History([Epoch(1, 10, loss=0.5, seconds=2.0), Epoch(2, 20, loss=0.25, validation_accuracy=0.9)])
    assert repr(history) == "<History: 2 epochs, the last: loss 0.25000, val. acc. 90.00 %, seconds 0.00>"
    assert repr(History()) == "<History: no epoch yet>"
    shown = history._repr_html_()
    assert "<th>val. acc.</th>" in shown
    assert (
        "<tr><td>1</td><td>0.50000</td><td>-</td><td>-</td><td>-</td><td>2.00</td></tr><tr><td>2</td><td>0.25000"
        in shown
    )


def test_a_report_is_one_line_and_a_table_that_is_escaped() -> None:
    report = Report("a<b", [Row("<script>", "z", "integer", 2.0, "x[0]", 3)], ["1 & 2"])
    assert repr(report) == "<Report of a<b: 1 comparison, 1 beyond their limit>"
    shown = report._repr_html_()
    assert "<tr><td>&lt;script&gt;</td><td>2</td></tr>" in shown
    assert "<p>a&lt;b: the engines DISAGREE.</p>" in shown
    assert shown.endswith("<p>1 &amp; 2</p>")
    assert "<script>" not in shown
    assert repr(Report("four", [Row("c", "z", "integer", 0.0)])).endswith("all within their limits>")
    assert repr(Report("four")) == "<Report of four: nothing compared>"


def test_a_long_table_keeps_its_first_and_its_last_rows() -> None:
    shown = html_table([["n"], *([str(n)] for n in range(100))])
    assert shown.count("<tr>") == 1 + 40 + 1
    assert '<td>19</td></tr><tr><td colspan="1">… and 60 more …</td></tr><tr><td>80</td>' in shown
