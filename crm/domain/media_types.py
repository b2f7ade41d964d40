"""What files may be kept with a record: told by their bytes, never by their name."""

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
XLS = "application/vnd.ms-excel"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
DOC = "application/msword"
OFD = "application/ofd"
PDF = "application/pdf"
JPEG = "image/jpeg"
PNG = "image/png"
WEBP = "image/webp"
HEIC = "image/heic"
CSV = "text/csv"
TEXT = "text/plain"
ZIP = "application/zip"
UNKNOWN = "application/octet-stream"
# Kinds that are told apart only so that the refusal can name them.
PROGRAM = "application/x-executable"
SVG = "image/svg+xml"
HTML = "text/html"
MACROS = "application/x-office-with-macros"
OLE = "application/x-ole-storage"

# Media type → what people call it, and the endings its name may have (the first is given to a name that has another).
# .et and .wps are what WPS calls the old Excel and Word files; OFD is GB/T 33190, the format of official documents.
ACCEPTED: dict[str, tuple[str, tuple[str, ...]]] = {
    PDF: ("PDF", ("pdf",)),
    OFD: ("OFD", ("ofd",)),
    JPEG: ("照片", ("jpg", "jpeg")),
    PNG: ("图片", ("png",)),
    WEBP: ("图片", ("webp",)),
    HEIC: ("照片（HEIC）", ("heic", "heif")),
    DOCX: ("Word", ("docx",)),
    DOC: ("Word", ("doc", "wps")),
    XLSX: ("Excel", ("xlsx",)),
    XLS: ("Excel", ("xls", "et")),
    CSV: ("表格文本", ("csv", "txt")),
    TEXT: ("文本", ("txt", "csv")),
}
# Pictures that every browser draws; a page may show these and PDF, everything else is a download.
PICTURES = frozenset({JPEG, PNG, WEBP})
PREVIEWED = PICTURES | {PDF}

# A scan of a thick report fits; a film or a whole folder does not.
LARGEST = 20 * 1024 * 1024
LARGEST_MB = LARGEST // 1024 // 1024
# How many files one form takes at once.
MOST_FILES = 9

_KINDS_TAKEN = "可收 PDF、OFD、照片（JPG、PNG、WebP、HEIC）、Word、Excel、CSV、TXT"
_SAID = {
    PROGRAM: "是程序文件，不收，改了名字也不收",
    SVG: "是 SVG 图形，里面可以带脚本，不收。另存为 PNG 或 PDF 再传",
    HTML: "是网页文件，里面可以带脚本，不收。打印成 PDF 再传",
    MACROS: "带宏，不收。另存为不带宏的 docx 或 xlsx 再传",
    ZIP: "是压缩包，不收。解压后逐份传",
}


def refusal(name: str, size: int, media_type: str) -> str | None:
    """Why a file is not taken, as one sentence that names it and says what would be right; None when it is taken.

    ``size`` in bytes, ``media_type`` as sniffed from the bytes. Judged before anything is written: pure.
    """
    if size == 0:
        return f"“{name}”是空文件，没有收。核对后重传。"
    if size > LARGEST:
        return f"“{name}”有 {size / 1024 / 1024:.1f} MB，超过 {LARGEST_MB} MB，没有收。压缩或拆开再传。"
    if media_type in _SAID:
        return f"“{name}”{_SAID[media_type]}。"
    if media_type not in ACCEPTED:
        return f"“{name}”读不出是什么文件，没有收。{_KINDS_TAKEN}。"
    if media_type in (TEXT, CSV) and ending_of(name) not in ACCEPTED[media_type][1]:
        return f"“{name}”是文本，但名字不是 .txt 或 .csv 结尾，没有收。{_KINDS_TAKEN}。"
    return None


def ending_of(name: str) -> str:
    """The ending of a file's name in lower case without its dot, "" when it has none."""
    return name.rpartition(".")[2].lower() if "." in name else ""


def with_true_ending(name: str, media_type: str) -> str:
    """The name, ending as what the file is: 章程.exe of a PDF becomes 章程.exe.pdf."""
    _, endings = ACCEPTED[media_type]
    return name if ending_of(name) in endings else f"{name}.{endings[0]}"
