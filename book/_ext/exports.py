"""The question bank for learning-management systems: Moodle XML, and a QTI 2.1 package."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from html import escape
from pathlib import Path

import pages
import questions
from questions import Question

BOOK = "Static vs. Dynamic AI Models"
FILES = {"moodle": "static-vs-dynamic-moodle.xml", "qti": "static-vs-dynamic-qti21.zip"}
FOLDER = "downloads"
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


def cdata(html: str) -> str:
    """Return HTML as an XML text that needs no escapes."""
    return "<![CDATA[" + html.replace("]]>", "]]]]><![CDATA[>") + "]]>"


def moodle_text(name: str, markdown: str) -> str:
    """Return one formatted text as Moodle writes it."""
    inner = cdata(f"<p>{questions.html(markdown, mathml=False)}</p>") if markdown else ""
    return f'<{name} format="html"><text>{inner}</text></{name}>'


def moodle_question(question: Question) -> str:
    """Return one question in Moodle's format: one right answer, feedback on each."""
    lines = [
        '<question type="multichoice">',
        f"<name><text>{escape(question.title, quote=False)}</text></name>",
        moodle_text("questiontext", question.text), moodle_text("generalfeedback", ""),
        "<defaultgrade>1.0000000</defaultgrade>", "<penalty>0.3333333</penalty>",
        "<hidden>0</hidden>", f"<idnumber>svd-{question.id}</idnumber>",
        "<single>true</single>", "<shuffleanswers>true</shuffleanswers>",
        "<answernumbering>abc</answernumbering>",
        "<showstandardinstruction>0</showstandardinstruction>",
        *(moodle_text(f"{kind}feedback", "") for kind in
          ("correct", "partiallycorrect", "incorrect")),
    ]  # fmt: skip
    for answer in question.answers:
        inner = cdata(f"<p>{questions.html(answer.text, mathml=False)}</p>")
        lines += [
            f'<answer fraction="{100 if answer.right else 0}" format="html">'
            f"<text>{inner}</text>",
            moodle_text("feedback", answer.feedback), "</answer>",
        ]  # fmt: skip
    tags = [
        f"chapter {question.chapter}", f"outcome {question.outcome}", f"level {question.level}",
        "quiz" if question.in_quiz else "bank only",
    ]  # fmt: skip
    lines += ["<tags>", *(f"<tag><text>{tag}</text></tag>" for tag in tags), "</tags>"]
    return "\n".join([*lines, "</question>"])


def moodle(bank: Iterable[Question]) -> str:
    """Return the bank as Moodle XML, one category for each chapter."""
    bank, lines = list(bank), ["<quiz>"]
    for one in pages.chapters():
        category = f"$course$/top/{BOOK}/{one.number:02d} {one.title}"
        lines += [
            '<question type="category">',
            f"<category><text>{escape(category, quote=False)}</text></category>",
            f'<info format="html"><text></text></info><idnumber>svd-{one.number:02d}</idnumber>',
            "</question>",
            *(moodle_question(q) for q in bank if q.chapter == one.number),
        ]
    return HEAD + "\n".join([*lines, "</quiz>", ""])


QTI = (
    'xmlns="http://www.imsglobal.org/xsd/imsqti_v2p1" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xsi:schemaLocation="http://www.imsglobal.org/xsd/imsqti_v2p1 '
    'http://www.imsglobal.org/xsd/qti/qtiv2p1/imsqti_v2p1.xsd"'
)


def qti_item(question: Question) -> str:
    """Return one question as a QTI item: a choice, scored 0 or 1, with feedback on each answer."""
    names = [chr(ord("A") + k) for k in range(len(question.answers))]
    right = next(n for n, a in zip(names, question.answers, strict=True) if a.right)
    choices = "".join(
        f'<simpleChoice identifier="{n}">{xhtml(a.text)}</simpleChoice>\n'
        for n, a in zip(names, question.answers, strict=True)
    )
    said = "".join(
        f'<modalFeedback outcomeIdentifier="FEEDBACK" identifier="{n}" showHide="show">'
        f"{xhtml(a.feedback)}</modalFeedback>\n"
        for n, a in zip(names, question.answers, strict=True)
    )
    return f"""{HEAD}<assessmentItem {QTI} identifier="svd-{question.id}"
 title="{escape(question.title)}" label="level {question.level}" adaptive="false"
 timeDependent="false">
<responseDeclaration identifier="RESPONSE" cardinality="single" baseType="identifier">
<correctResponse><value>{right}</value></correctResponse></responseDeclaration>
<outcomeDeclaration identifier="SCORE" cardinality="single" baseType="float">
<defaultValue><value>0</value></defaultValue></outcomeDeclaration>
<outcomeDeclaration identifier="FEEDBACK" cardinality="single" baseType="identifier"/>
<itemBody><p>{xhtml(question.text)}</p>
<choiceInteraction responseIdentifier="RESPONSE" shuffle="true" maxChoices="1">
{choices}</choiceInteraction></itemBody>
<responseProcessing>
<responseCondition><responseIf><match><variable identifier="RESPONSE"/>
<correct identifier="RESPONSE"/></match>
<setOutcomeValue identifier="SCORE"><baseValue baseType="float">1</baseValue></setOutcomeValue>
</responseIf></responseCondition>
<setOutcomeValue identifier="FEEDBACK"><variable identifier="RESPONSE"/></setOutcomeValue>
</responseProcessing>
{said}</assessmentItem>
"""


def xhtml(markdown: str) -> str:
    """Return Markdown as the XHTML that QTI allows in a line."""
    return questions.html(markdown)


def qti_test(number: int, title: str, bank: list[Question]) -> str:
    """Return a chapter's questions as one QTI test."""
    items = "".join(
        f'<assessmentItemRef identifier="ref-{q.id}" href="../items/{q.id}.xml"/>\n' for q in bank
    )
    return f"""{HEAD}<assessmentTest {QTI} identifier="svd-test-{number:02d}"
 title="{escape(f"{number}. {title}")}">
<testPart identifier="part" navigationMode="nonlinear" submissionMode="individual">
<assessmentSection identifier="section" title="{escape(title)}" visible="true">
{items}</assessmentSection></testPart></assessmentTest>
"""


def qti(bank: Iterable[Question]) -> bytes:
    """Return the bank as a QTI 2.1 content package (a zip): items, a test a chapter, a manifest."""
    bank = list(bank)
    files = {f"items/{q.id}.xml": qti_item(q) for q in bank}
    listed = [
        f'<resource identifier="res-{q.id}" type="imsqti_item_xmlv2p1" href="items/{q.id}.xml">'
        f'<file href="items/{q.id}.xml"/></resource>'
        for q in bank
    ]
    for one in pages.chapters():
        some, name = [q for q in bank if q.chapter == one.number], f"tests/{one.number:02d}.xml"
        if not some:
            continue
        files[name] = qti_test(one.number, one.title, some)
        needs = "".join(f'<dependency identifierref="res-{q.id}"/>' for q in some)
        listed.append(
            f'<resource identifier="test-{one.number:02d}" type="imsqti_test_xmlv2p1" '
            f'href="{name}"><file href="{name}"/>{needs}</resource>'
        )
    files["imsmanifest.xml"] = (
        f'{HEAD}<manifest xmlns="http://www.imsglobal.org/xsd/imscp_v1p1" identifier="svd-bank">\n'
        "<metadata><schema>QTIv2.1 Package</schema><schemaversion>1.0.0</schemaversion>"
        "</metadata>\n"
        "<organizations/>\n<resources>\n" + "\n".join(listed) + "\n</resources>\n</manifest>\n"
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            # A fixed date: the same questions make the same file.
            entry = zipfile.ZipInfo(name, date_time=(2026, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, files[name])
    return packed.getvalue()


def write(folder: Path) -> list[Path]:
    """Write both files into a folder; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    moodle_file, qti_file = folder / FILES["moodle"], folder / FILES["qti"]
    moodle_file.write_text(moodle(questions.bank()), encoding="utf-8")
    qti_file.write_bytes(qti(questions.bank()))
    return [moodle_file, qti_file]
