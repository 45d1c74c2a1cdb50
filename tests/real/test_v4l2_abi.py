"""Request numbers and structure offsets of the V4L2 client, compiled from the system's own headers."""

import subprocess
from pathlib import Path

import pytest

from devicehub.transport import v4l2
from tests.programs import lacking, needed

pytestmark = pytest.mark.real
_ABI = r"""
#include <stdio.h>
#include <stddef.h>
#include <linux/videodev2.h>
#include <linux/input.h>
int main(void) {
  unsigned long values[] = {VIDIOC_QUERYCAP, VIDIOC_ENUM_FMT, VIDIOC_S_FMT, VIDIOC_REQBUFS, VIDIOC_QUERYBUF,
    VIDIOC_QBUF, VIDIOC_DQBUF, VIDIOC_STREAMON, VIDIOC_STREAMOFF, VIDIOC_S_PARM, VIDIOC_ENUM_FRAMESIZES,
    V4L2_CAP_VIDEO_CAPTURE, V4L2_CAP_STREAMING, V4L2_CAP_DEVICE_CAPS, V4L2_BUF_FLAG_ERROR,
    sizeof(struct v4l2_capability), sizeof(struct v4l2_fmtdesc), sizeof(struct v4l2_format),
    sizeof(struct v4l2_requestbuffers), sizeof(struct v4l2_buffer), sizeof(struct v4l2_streamparm),
    sizeof(struct v4l2_frmsizeenum), sizeof(struct input_event),
    offsetof(struct v4l2_capability, device_caps), offsetof(struct v4l2_fmtdesc, pixelformat),
    offsetof(struct v4l2_format, fmt), offsetof(struct v4l2_buffer, sequence), offsetof(struct v4l2_buffer, memory),
    offsetof(struct v4l2_buffer, m), offsetof(struct v4l2_buffer, length),
    offsetof(struct v4l2_streamparm, parm.capture.timeperframe), offsetof(struct v4l2_frmsizeenum, type),
    offsetof(struct v4l2_frmsizeenum, discrete), offsetof(struct input_event, value), KEY_CAMERA};
  for (unsigned i = 0; i < sizeof values / sizeof *values; i++) printf("%lu\n", values[i]);
  return 0;
}
"""


def test_requests_and_offsets_are_those_of_the_system_headers(tmp_path: Path) -> None:
    compiler = needed("cc")
    if not Path("/usr/include/linux/videodev2.h").exists():
        lacking("no kernel headers on this machine: they are in libc6-dev")
    (tmp_path / "abi.c").write_text(_ABI)
    subprocess.run([compiler, "-o", tmp_path / "abi", tmp_path / "abi.c"], check=True)
    printed = subprocess.run([tmp_path / "abi"], check=True, capture_output=True, text=True).stdout
    requests = [v4l2.QUERYCAP, v4l2.ENUM_FMT, v4l2.S_FMT, v4l2.REQBUFS, v4l2.QUERYBUF, v4l2.QBUF, v4l2.DQBUF]
    requests += [v4l2.STREAMON, v4l2.STREAMOFF, v4l2.S_PARM, v4l2.ENUM_FRAMESIZES]
    flags = [v4l2.VIDEO_CAPTURE, v4l2.STREAMING, v4l2.DEVICE_CAPS, v4l2.BUFFER_ERROR]
    sizes, offsets = [104, 64, 208, 20, 88, 204, 44, 24], [88, 44, 8, 56, 60, 64, 72, 12, 8, 12, 20]
    assert [int(word) for word in printed.split()] == [*requests, *flags, *sizes, *offsets, 0xD4]
