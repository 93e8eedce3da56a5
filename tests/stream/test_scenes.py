from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from stream.errors import OutputError, SourceFormatError, WorkerError
from stream.frames import Frame
from stream.jobs.tally import Tally
from stream.scenes import SceneMaker, Scenes
from stream.video import Video
from tests.fakes import (
    TIME_BASE,
    FrameRenderer,
    GatedModel,
    ListSink,
    ScriptedFinder,
    ScriptedSource,
    cut_box,
    make_frame,
    make_hand,
)
from tests.waits import WAIT_S


def _export(
    source: ScriptedSource,
    sink: ListSink,
    *,
    finder: ScriptedFinder | None = None,
    model: GatedModel | None = None,
    renderer: FrameRenderer | None = None,
    stop: threading.Event | None = None,
) -> Tally:
    tally = Tally()
    maker = SceneMaker(
        finder=finder or ScriptedFinder(lambda index: (make_hand(),)),
        cut=cut_box,
        model=model or GatedModel(),
    )
    with (
        Scenes(source, maker, stop=stop or threading.Event()) as scenes,
        Video(renderer or FrameRenderer(), sink, on_written=tally.count) as video,
    ):
        for scene in scenes:
            video.write(scene)
    return tally


def test_every_frame_is_written_in_order_with_its_own_time() -> None:
    pts = [0, 3, 4, 9, 10, 100]
    sink = ListSink()
    tally = _export(
        ScriptedSource(make_frame(index, pts=tick) for index, tick in enumerate(pts)), sink
    )
    assert sink.pts == pts
    assert [int(canvas[0, 0, 0]) for canvas, _, _ in sink.written] == [0, 1, 2, 3, 4, 5]
    assert tally.num_frames == 6
    assert tally.time_s == pytest.approx(100 / 30)


def test_each_frame_carries_maps_of_its_own_crop() -> None:
    renderer = FrameRenderer()
    _export(ScriptedSource(make_frame(index) for index in range(20)), ListSink(), renderer=renderer)
    for index, scene in enumerate(renderer.scenes):
        entry = scene.maps[0]
        assert entry.maps.frame_index == index
        assert entry.maps.weights[0, 0, 0] == pytest.approx(index / 255)
        assert entry.age_s == 0


@pytest.mark.parametrize("frames_at_once", [1, 2, 3, 8, 50])
def test_frames_go_to_the_model_in_groups_of_one_size_and_come_out_the_same(
    frames_at_once: int,
) -> None:
    renderer, sink = FrameRenderer(), ListSink()
    model = GatedModel(frames_at_once=frames_at_once)
    _export(
        ScriptedSource(make_frame(index) for index in range(20)),
        sink,
        finder=ScriptedFinder(lambda index: (make_hand(),) if index != 7 else ()),
        model=model,
        renderer=renderer,
    )
    groups = [
        list(range(20))[start : start + frames_at_once] for start in range(0, 20, frames_at_once)
    ]
    with_hands = [[index for index in group if index != 7] for group in groups]
    assert model.seen == [group for group in with_hands if group]
    assert [int(canvas[0, 0, 0]) for canvas, _, _ in sink.written] == list(range(20))
    shown = [[entry.maps.frame_index for entry in s.maps.values()] for s in renderer.scenes]
    assert shown == [[index] if index != 7 else [] for index in range(20)]


@pytest.mark.parametrize("frames_at_once", [1, 4])
def test_model_that_fails_ends_all_the_threads(frames_at_once: int) -> None:
    model = GatedModel(failure=MemoryError("no room"), frames_at_once=frames_at_once)
    endless = ScriptedSource(make_frame(index % 200) for index in iter(int, 1))
    with pytest.raises(WorkerError, match="attention failed: no room"):
        _export(endless, ListSink(), model=model)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("signlight")]


def test_frames_without_hands_are_written_and_not_counted_as_hands() -> None:
    model = GatedModel()
    tally = _export(
        ScriptedSource(make_frame(index) for index in range(6)),
        ListSink(),
        finder=ScriptedFinder(
            lambda index: (
                () if index < 2 else (make_hand(0), make_hand(1, unseen_s=0.1 * (index == 5)))
            )
        ),
        model=model,
    )
    assert tally.num_frames == 6
    assert tally.num_frames_with_hand == 4
    assert tally.num_hands == {"left": 0, "right": 7}
    assert model.seen == [[2, 2], [3, 3], [4, 4], [5]]


def test_hand_that_is_only_held_keeps_its_last_map_which_ages() -> None:
    renderer = FrameRenderer()
    _export(
        ScriptedSource(make_frame(index) for index in range(6)),
        ListSink(),
        finder=ScriptedFinder(
            lambda index: () if index == 5 else (make_hand(unseen_s=0.1 * (index >= 3)),)
        ),
        renderer=renderer,
    )
    shown = [
        [(entry.maps.frame_index, round(entry.age_s * 30)) for entry in scene.maps.values()]
        for scene in renderer.scenes
    ]
    assert shown == [[(0, 0)], [(1, 0)], [(2, 0)], [(2, 1)], [(2, 2)], []]


def test_stop_writes_what_was_read_and_ends() -> None:
    stop = threading.Event()
    source = ScriptedSource(
        (make_frame(index) for index in range(10_000)),
        before=lambda index: stop.set() if index == 50 else None,
    )
    sink = ListSink()
    tally = _export(source, sink, stop=stop)
    assert tally.num_frames == 51
    assert sink.pts == list(range(51))


def test_source_that_breaks_midway_keeps_what_came_before() -> None:
    failure = SourceFormatError("clip.mp4: broken")
    sink = ListSink()
    source = ScriptedSource(
        (make_frame(index) for index in range(100)), fail_at=30, failure=failure
    )
    with pytest.raises(WorkerError, match=r"decode failed: clip.mp4: broken") as caught:
        _export(source, sink)
    assert caught.value.__cause__ is failure
    assert sink.pts == list(range(30))


@pytest.mark.parametrize("part", ["hands", "attention", "compose"])
def test_part_that_fails_ends_the_export_with_its_error(part: str) -> None:
    failure = ArithmeticError("no good")

    def fail(index: int) -> tuple[()]:
        raise failure

    with pytest.raises(WorkerError, match=f"{part} failed: no good") as caught:
        _export(
            ScriptedSource(make_frame(index) for index in range(1000)),
            ListSink(),
            finder=ScriptedFinder(fail) if part == "hands" else None,
            model=GatedModel(failure=failure) if part == "attention" else None,
            renderer=FrameRenderer(failure=failure) if part == "compose" else None,
        )
    assert caught.value.__cause__ is failure


def test_full_disk_ends_the_export_and_frees_every_stage() -> None:
    sink = ListSink(fail_at=3, failure=OutputError("disk full"))
    with pytest.raises(OutputError, match="disk full"):
        _export(ScriptedSource(make_frame(index) for index in range(1000)), sink)
    assert sink.pts == [0, 1, 2]


def test_slow_stage_bounds_what_waits() -> None:
    model = GatedModel(is_open=False)
    read: list[int] = []
    blocked = threading.Event()

    def note(index: int) -> None:
        read.append(index)
        # 2 wait before the finder, 2 before the model; finder, model and reader hold one each.
        if index == 6:
            blocked.set()

    done: list[Tally] = []
    runner = threading.Thread(
        target=lambda: done.append(
            _export(
                ScriptedSource((make_frame(index) for index in range(200)), before=note),
                ListSink(),
                model=model,
            )
        ),
        name="signlight-test-export",
    )
    runner.start()
    assert model.entered.wait(WAIT_S)
    assert blocked.wait(WAIT_S)
    assert max(read) <= 7
    model.gate.set()
    runner.join(WAIT_S)
    assert done[0].num_frames == 200


@pytest.mark.parametrize(
    ("size_wh", "num_at_once"), [((1280, 720), 8), ((3840, 2160), 5), ((7680, 4320), 1)]
)
def test_pictures_given_to_the_model_at_once_are_bounded_in_bytes(
    size_wh: tuple[int, int], num_at_once: int
) -> None:
    picture = make_frame(0, size_wh=size_wh).image
    source = ScriptedSource(
        Frame(image=picture, pts=index, time_base=TIME_BASE, index=index, captured_ns=0)
        for index in range(10)
    )
    source.info = replace(source.info, size_wh=size_wh)
    model = GatedModel(frames_at_once=8)
    _export(source, ListSink(), model=model)
    assert max(len(batch) for batch in model.seen) == num_at_once
