"""Documents that are ZIP files of XML: Word's DOCX and OpenDocument's ODT. Read whole, with a cap, never unpacked."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import IO
from xml.sax.handler import ContentHandler
from xml.sax.xmlreader import AttributesImpl

from defusedxml import sax

from .refusing import Refused

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
ODT = "application/vnd.oasis.opendocument.text"

MOST_MEMBERS = 3_000
MOST_UNPACKED = 150 * 1024**2
"""Bytes of all members together."""

MOST_RATIO = 100
FREE_OF_RATIO = 20 * 1024**2
"""Bytes up to which it does not matter how well a document could be packed."""

_CHUNK = 1024**2
_NEEDED = {DOCX: ("[Content_Types].xml", "_rels/.rels"), ODT: ("content.xml", "META-INF/manifest.xml")}


def check(source: Path) -> str:
    """The media type of a DOCX or ODT file that may be kept. Raises Refused."""
    try:
        with zipfile.ZipFile(source) as packed:
            return _check(packed, source.stat().st_size)
    except (Refused, MemoryError):
        raise
    except Exception as error:  # whatever zipfile, zlib and expat say of a damaged file
        raise Refused("damaged-document") from error


def _check(packed: zipfile.ZipFile, size: int) -> str:
    members = packed.infolist()
    if len(members) > MOST_MEMBERS:
        raise Refused("too-much")
    names = [member.filename for member in members]
    if len({name.lower() for name in names}) < len(names) or any(map(_leads_out, names)):
        raise Refused("damaged-document")
    if any(member.flag_bits & 1 for member in members):
        raise Refused("password")
    _read_all(packed, members, size)
    kind = _kind(packed, set(names))
    _refuse_macros(names)
    for member in members:
        if member.filename.endswith((".xml", ".rels")):
            _read_xml(packed, member)
    return kind


def _leads_out(name: str) -> bool:
    return name.startswith("/") or "\\" in name or "\0" in name or ".." in name.split("/")


def _read_all(packed: zipfile.ZipFile, members: list[zipfile.ZipInfo], size: int) -> None:
    """Unpack everything into nowhere: what a member says of its own size counts for nothing."""
    most = min(MOST_UNPACKED, max(FREE_OF_RATIO, MOST_RATIO * size))
    total = 0
    for member in members:
        with packed.open(member) as stream:
            while piece := stream.read(_CHUNK):
                total += len(piece)
                if total > most:
                    raise Refused("too-much")


def _kind(packed: zipfile.ZipFile, names: set[str]) -> str:
    kind = ODT if "mimetype" in names else DOCX
    if kind == ODT and packed.read("mimetype") != ODT.encode():
        raise Refused("no-document")
    if not names.issuperset(_NEEDED[kind]):
        raise Refused("no-document")
    found = _Found()
    _parse(packed, _NEEDED[kind][0] if kind == DOCX else _NEEDED[kind][1], found)
    if found.encrypted:
        raise Refused("password")
    if any("macroenabled" in each.lower() or "vbaproject" in each.lower() for each in found.types):
        raise Refused("macros")
    main = f"{DOCX}.main+xml" if kind == DOCX else ODT
    if main not in found.types:
        raise Refused("no-document")
    return kind


def _refuse_macros(names: list[str]) -> None:
    for name in map(str.lower, names):
        last = name.rpartition("/")[2]
        if last in ("vbaproject.bin", "vbadata.xml") or name.startswith(("basic/", "scripts/", "word/activex/")):
            raise Refused("macros")


def _read_xml(packed: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    found = _Found()
    _parse(packed, member.filename, found)
    if found.outside and "settings.xml.rels" in member.filename:
        raise Refused("outside-template")


def _parse(packed: zipfile.ZipFile, name: str, found: _Found) -> None:
    """Read a member as XML without a DTD, entities or anything from elsewhere. Raises what the parser raises."""
    with packed.open(name) as stream:
        _sax(stream, found)


def _sax(stream: IO[bytes], found: _Found) -> None:
    parser = sax.make_parser()
    parser.forbid_dtd = parser.forbid_entities = parser.forbid_external = True
    parser.setContentHandler(found)
    parser.parse(stream)


class _Found(ContentHandler):
    """What an XML member says: types of parts, whether it is encrypted, a template fetched from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.types: set[str] = set()
        self.encrypted = False
        self.outside = False

    def startElement(self, name: str, attrs: AttributesImpl) -> None:
        for key in attrs.getNames():
            if key.rpartition(":")[2] in ("ContentType", "media-type"):
                self.types.add(str(attrs.getValue(key)))
        self.encrypted = self.encrypted or name.rpartition(":")[2] == "encryption-data"
        if name.rpartition(":")[2] == "Relationship" and attrs.get("TargetMode") == "External":
            target = str(attrs.get("Target", "")).lower()
            self.outside = self.outside or target.startswith(("http:", "https:", "\\\\", "//", "ftp:", "mhtml:"))
