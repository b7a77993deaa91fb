"""The CPU rasteriser, in the order of the data's way.

`backend` takes the call, `autograd` makes it differentiable, `frame` runs the kernels: `projection` (with `ewa`,
`colors`, `harmonics`) writes one record per Gaussian and camera, `binning` sorts them into tiles, `forward` blends;
`backward` and `projection_backward` go the way back. `layout` describes the arrays, `lanes` and `lane_memory` are the
16-wide vectors that the blending is written in, `exp2` their exponential, `jit` and `threads` how kernels are compiled
and run.
"""
