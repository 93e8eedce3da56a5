"""All that makes a package of ELAN's: made while the frames come, put in place at the end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

from stream.annotation.moments import Moment, Stretch
from stream.closing import Closing
from stream.errors import OptionError
from stream.tables.elan.by_tier import ByTier
from stream.tables.elan.curves import Curves
from stream.tables.elan.document import SETUP_ENDING, EafDocument
from stream.tables.elan.links import Media, link_to, media_type
from stream.tables.elan.options import ElanOptions, TierNames, kinds_of_tiers
from stream.tables.elan.ownership import refuse_changed
from stream.tables.elan.tiers import tiers_of
from stream.tables.elan.view import write_curve_setup, write_view
from stream.tables.moment_file import MomentFile

__all__ = ["ElanPackage"]

_AUTHOR = "Signlight"


class ElanPackage(Closing):
    """Writes NAME.eaf, and beside it NAME_elan.csv, NAME_tsconf.xml, NAME.pfsx.

    The table of ``--by`` is NAME.by.csv. What cannot be done is said before the first frame. Unless
    :meth:`finish` is reached, nothing is written.

    Args:
        path: The .eaf.
        media: What is linked; the files may be made later.
        options: What a person asked for.
        parameters: How stretches were found, stored in the .eaf by name.
        picture: The maps are of the whole picture, not of hands.
        date: When it is made, with its time zone.

    Raises:
        OptionError: What was asked for cannot be had of ``options.into``.
        OutputError: Something may not be written, or ELAN could not follow a path.
    """

    def __init__(
        self,
        path: Path,
        *,
        media: Media,
        options: ElanOptions,
        parameters: Mapping[str, str],
        picture: bool,
        date: datetime,
    ) -> None:
        self._path = path
        self._media = media
        self._parameters = parameters
        self._picture = picture
        self._into = options.into
        self._names = TierNames(options.tiers)
        self._warnings: list[str] = []
        self._table = path.with_name(f"{path.stem}_elan.csv")
        self._setup = path.with_name(f"{path.stem}{SETUP_ENDING}")
        if options.into is not None and path.exists() and path.samefile(options.into):
            raise OptionError(
                f"{path} would be written over by its copy; have that written elsewhere with -o"
            )
        refuse_changed(path)
        refuse_changed(self._table)
        self._links = {
            target: link_to(target, path.parent)
            for target in (media.video, media.overlay, self._table, self._setup)
            if target is not None
        }
        self._origin_ms: int | None = None
        if options.into is None:
            self._document = EafDocument.new(date=date, author=_AUTHOR)
        else:
            self._document = self._open(options.into)
        given = None if options.by is None else self._document.annotations_of(options.by)
        origin_ms = self._origin_ms or 0
        self._curves = Curves(self._table, picture=picture, origin_ms=origin_ms)
        self._writers: list[MomentFile] = [self._curves]
        if given is not None:
            table = path.with_name(f"{path.stem}.by.csv")
            try:
                by = ByTier(table, given, picture=picture, origin_ms=origin_ms)
            except BaseException:
                self.close()
                raise
            self._writers.append(by)

    @property
    def paths(self) -> list[Path]:
        """What is in the package."""
        written = [path for writer in self._writers for path in writer.paths]
        return [*written, self._setup, self._path.with_suffix(".pfsx"), self._path]

    def write(self, moment: Moment) -> None:
        """Take the next frame.

        Raises:
            OutputError: It cannot be written.
        """
        for writer in self._writers:
            writer.write(moment)

    def finish(self, stretches: Iterable[Stretch]) -> list[str]:
        """Write the files, the .eaf last; return what a person should know, a line each.

        Raises:
            OutputError: One cannot be written.
        """
        for writer in self._writers:
            writer.close()
        tracks = self._curves.tracks
        view = self._path.with_suffix(".pfsx")
        link, into = self._links[self._table], self._into
        setups = [] if into is None else self._document.curve_setups(into.parent)
        their_view = None if into is None else into.with_suffix(".pfsx")
        for path, is_written in (
            (self._setup, write_curve_setup(self._setup, link, tracks, theirs=setups)),
            (view, write_view(view, tracks, theirs=their_view)),
        ):
            if not is_written:
                self._warnings.append(
                    f"{path} was saved by ELAN and stays as it is: new curves may not show; "
                    "delete it to see them"
                )
        self._write_document(stretches)
        return list(self._warnings)

    def close(self) -> None:
        """Leave nothing of what was not finished; harmless when called again."""
        for writer in self._writers:
            writer.discard()

    def _open(self, into: Path) -> EafDocument:
        document = EafDocument.read(into)
        document.check_free(self._names.of(*kind) for kind in kinds_of_tiers(picture=self._picture))
        if self._media.video is not None:
            self._origin_ms = document.origin_ms_of(self._media.video)
            if self._origin_ms is None:
                self._warnings.append(
                    f"{into} does not link {self._media.video.name}: "
                    "its time is taken to begin with the video's"
                )
        if lost := document.lost_when_moved(into.parent, self._path.parent):
            self._warnings.append(
                f"{into} leads to {', '.join(map(repr, lost))} from its own folder only: "
                f"ELAN will ask where to find it when {self._path.name} is opened"
            )
        return document

    def _write_document(self, stretches: Iterable[Stretch]) -> None:
        origin_ms = self._origin_ms or 0
        tiers, warnings = tiers_of(
            stretches, self._names, picture=self._picture, origin_ms=origin_ms
        )
        self._warnings += warnings
        video, overlay = self._media.video, self._media.overlay
        linked = [video] if self._origin_ms is None else []  # theirs may link it already
        for path in (*linked, overlay):
            if path is not None:
                self._document.add_media(self._links[path], media_type(path), origin_ms=origin_ms)
        for path, file_type in ((self._setup, "text/xml"), (self._table, "text/plain")):
            self._document.add_link(self._links[path], file_type)
        recorded = {"container starts at (s)": f"{float(self._media.start_s):.6f}"}
        properties = {**recorded, **self._parameters}
        self._document.add_properties(
            {f"Signlight: {name}": value for name, value in properties.items()}
        )
        self._document.add_tiers(tiers, annotator=_AUTHOR)
        self._document.write(self._path)
