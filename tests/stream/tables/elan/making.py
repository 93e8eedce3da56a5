"""Moments and stretches with known numbers, and an .eaf with all that the format has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, timezone
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np

from stream.annotation.moments import PARTS, Focus, HandMoment, Moment, Motion, Stretch, TierKind
from stream.geometry import Handedness, HandRegion
from stream.tables.elan.links import Media
from stream.tables.elan.options import ElanOptions
from stream.tables.elan.package import ElanPackage

DATE = datetime(2026, 11, 28, 9, 5, 7, tzinfo=timezone(timedelta(hours=5, minutes=30)))
"""In a zone of half an hour."""
HEADS = 3


def hand(
    who: Handedness = "right",
    *,
    unseen_s: float = 0.0,
    speed: float = 2.0,
    entropy: float = 0.5,
    score: float = 0.9,
    is_mapped: bool = True,
) -> HandMoment:
    """A hand whose head h has the entropy ``entropy + h / 10``, and whose mean map ``entropy``."""
    entropies = np.array([entropy + head / 10 for head in range(HEADS)] + [entropy], np.float32)
    flat = np.full(HEADS + 1, 0.25, np.float32)
    focus = Focus(
        normalized_entropy=entropies,
        effective_patches=flat * 40,
        peak_xy=np.zeros((HEADS + 1, 2), np.float32),
        is_peak_on_hand=np.ones(HEADS + 1, bool),
        centroid_xy=np.zeros((HEADS + 1, 2), np.float32),
        spread_xy=np.zeros((HEADS + 1, 2), np.float32),
        mass_on_hand=flat,
        lift_on_hand=flat * 4,
        rank_accuracy=flat,
        mass_on_parts=np.full((HEADS + 1, len(PARTS)), 0.125, np.float32),
        lift_on_parts=np.ones((HEADS + 1, len(PARTS)), np.float32),
        kept=flat,
        divergence_to_mean=flat,
        divergence_to_before=np.full(HEADS + 1, np.nan, np.float32),
    )
    motion = Motion(
        palm_xy=np.zeros(2, np.float32),
        palm_px=50.0,
        palm_speed=speed,
        shape_speed=0.5,
        joint_angles=np.zeros(15, np.float32),
        joint_rates=np.full(15, -1.5, np.float32),
    )
    return HandMoment(
        region=HandRegion(
            box_xyxy=(0.0, 0.0, 9.0, 9.0),
            landmarks=np.zeros((21, 2), np.float32),
            handedness=who,
            score=score,
            track_id=0 if who == "right" else 1,
            unseen_s=unseen_s,
        ),
        motion=None if unseen_s else motion,
        maps=None,
        focus=focus if is_mapped and not unseen_s else None,
    )


def moment(index: int, time_s: Fraction, *hands: HandMoment) -> Moment:
    return Moment(
        frame_index=index,
        pts=index,
        time_base=Fraction(1, 30),
        time_s=time_s,
        duration_s=None,
        hands=hands,
        absent={},
    )


def moments(times_s: Iterable[Fraction]) -> list[Moment]:
    """Frames with a right hand in each."""
    return [moment(index, time_s, hand()) for index, time_s in enumerate(times_s)]


def stretch(
    tier: TierKind,
    who: Handedness | None,
    start_s: Fraction | float,
    end_s: Fraction | float,
    value: str = "",
) -> Stretch:
    return Stretch(
        tier=tier, hand=who, start_s=Fraction(start_s), end_s=Fraction(end_s), value=value
    )


def phases(times_s: Sequence[Fraction], end_s: Fraction) -> list[Stretch]:
    """A stretch for each frame, holds and movements in turn: all boundaries there can be."""
    return [
        stretch("phase", "right", start_s, stop_s, ("hold", "movement")[place % 2])
        for place, (start_s, stop_s) in enumerate(pairwise([*times_s, end_s]))
    ]


def write_package(
    path: Path,
    *,
    frames: Sequence[Moment] | None = None,
    stretches: Sequence[Stretch] = (),
    media: Media | None = None,
    options: ElanOptions | None = None,
    picture: bool = False,
) -> list[str]:
    """Write a package as the job does, of a second of frames; return its warnings."""
    if frames is None:
        frames = moments(Fraction(index, 25) for index in range(25))
    with ElanPackage(
        path,
        media=media or Media(video=path.parent / "b.mp4", start_s=Fraction(7, 5)),
        options=options or ElanOptions(),
        parameters={"phase: hold below (palm lengths/s)": "0.5"},
        picture=picture,
        date=DATE,
    ) as package:
        for frame in frames:
            package.write(frame)
        return package.finish(stretches)


RICH = """\
<?xml version="1.0" encoding="UTF-8"?>
<!-- before the root -->
<ANNOTATION_DOCUMENT AUTHOR="Ana &quot;Ani&quot; &#x5D0;&#x5D1;" DATE="2024-02-29T23:59:59+05:30"
    FORMAT="3.0" VERSION="3.0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
    xsi:noNamespaceSchemaLocation="http://www.mpi.nl/tools/elan/EAFv3.0.xsd">
    <LICENSE LICENSE_URL="https://example.org/licence">as one wishes</LICENSE>
    <HEADER MEDIA_FILE="" TIME_UNITS="milliseconds">
        <MEDIA_DESCRIPTOR MEDIA_URL="file:///nowhere/else/b.mp4" MIME_TYPE="video/mp4"
            RELATIVE_MEDIA_URL="./b.mp4"{origin}/>
        <LINKED_FILE_DESCRIPTOR LINK_URL="file:///nowhere/gaze_tsconf.xml" MIME_TYPE="text/xml"/>
        <PROPERTY NAME="URN">urn:nl-mpi-tools-elan-eaf:0</PROPERTY>
        <PROPERTY NAME="lastUsedAnnotationId">400</PROPERTY>
        <!-- in the header -->
    </HEADER>
    <TIME_ORDER>
        <TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="0"/>
        <TIME_SLOT TIME_SLOT_ID="ts2"/>
        <TIME_SLOT TIME_SLOT_ID="ts3" TIME_VALUE="1000"/>
        <TIME_SLOT TIME_SLOT_ID="ts900" TIME_VALUE="2000"/>
    </TIME_ORDER>
    <TIER ANNOTATOR="A &amp; B" DEFAULT_LOCALE="he" LANG_REF="nld" LINGUISTIC_TYPE_REF="gloss"
        PARTICIPANT="S&#10;1" TIER_ID="GlossR &quot;S1&quot;&#10;&#x5E9;&#x5DC;">
        <!-- between annotations -->
        <ANNOTATION>
            <ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" CVE_REF="cveid0" EXT_REF="er1"
                LANG_REF="nld" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts2">
                <ANNOTATION_VALUE>HOUSE
&lt;big&gt;</ANNOTATION_VALUE>
            </ALIGNABLE_ANNOTATION>
        </ANNOTATION>
        <ANNOTATION>
            <ALIGNABLE_ANNOTATION ANNOTATION_ID="a2" TIME_SLOT_REF1="ts2" TIME_SLOT_REF2="ts3">
                <ANNOTATION_VALUE/>
            </ALIGNABLE_ANNOTATION>
        </ANNOTATION>
    </TIER>
    <TIER LINGUISTIC_TYPE_REF="note" PARENT_REF="GlossR &quot;S1&quot;&#10;&#x5E9;&#x5DC;"
        TIER_ID="note">
        <ANNOTATION>
            <REF_ANNOTATION ANNOTATION_ID="a17" ANNOTATION_REF="a2">
                <ANNOTATION_VALUE>first</ANNOTATION_VALUE>
            </REF_ANNOTATION>
        </ANNOTATION>
        <ANNOTATION>
            <REF_ANNOTATION ANNOTATION_ID="a18" ANNOTATION_REF="a2" PREVIOUS_ANNOTATION="a17">
                <ANNOTATION_VALUE>second</ANNOTATION_VALUE>
            </REF_ANNOTATION>
        </ANNOTATION>
    </TIER>
    <LINGUISTIC_TYPE CONTROLLED_VOCABULARY_REF="Signlight phase" GRAPHIC_REFERENCES="false"
        LEXICON_REF="lr1" LINGUISTIC_TYPE_ID="gloss" TIME_ALIGNABLE="true"/>
    <LINGUISTIC_TYPE CONSTRAINTS="Symbolic_Subdivision" GRAPHIC_REFERENCES="false"
        LINGUISTIC_TYPE_ID="note" TIME_ALIGNABLE="false"/>
    <LOCALE COUNTRY_CODE="IL" LANGUAGE_CODE="he"/>
    <LANGUAGE LANG_DEF="http://cdb.iso.org/lg/CDB-00138580-001" LANG_ID="nld"
        LANG_LABEL="Dutch (nld)"/>
    <CONSTRAINT DESCRIPTION="ordered" STEREOTYPE="Symbolic_Subdivision"/>
    <CONTROLLED_VOCABULARY CV_ID="Signlight phase">
        <DESCRIPTION LANG_REF="nld">theirs</DESCRIPTION>
        <CV_ENTRY_ML CVE_ID="cveid0" EXT_REF="er1">
            <CVE_VALUE DESCRIPTION="d" LANG_REF="nld">HUIS</CVE_VALUE>
        </CV_ENTRY_ML>
    </CONTROLLED_VOCABULARY>
    <LEXICON_REF LEXICON_ID="l" LEXICON_NAME="n" LEX_REF_ID="lr1" NAME="n" TYPE="t" URL="u"/>
    <REF_LINK_SET LINK_SET_ID="rls1" LINK_SET_NAME="pairs" LANG_REF="nld">
        <GROUP_REF_LINK REFS="a1 a2" REF_LINK_ID="grl5000" REF_TYPE="x">linked</GROUP_REF_LINK>
    </REF_LINK_SET>
    <EXTERNAL_REF EXT_REF_ID="er1" TYPE="resource_url" VALUE="https://example.org/"/>
    <!-- before the end -->
</ANNOTATION_DOCUMENT>
<!-- behind the root -->
"""
GLOSSES = 'GlossR "S1"\n\u05e9\u05dc'
"""Its first tier: quotes, a line break, letters that run from right to left."""


def write_rich(path: Path, *, origin_ms: int = 0) -> Path:
    origin = f' TIME_ORIGIN="{origin_ms}"' if origin_ms else ""
    path.write_text(RICH.replace("{origin}", origin), encoding="utf-8")
    return path
