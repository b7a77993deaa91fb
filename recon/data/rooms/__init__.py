"""Synthetic training scenes: furnished rooms and facades, lit, walked through and rendered on the CPU.

`library` and `furniture` prepare what scenes are made of, `layout` builds a world, `trajectory` walks through it,
`render` photographs it, `generate` fills a cache folder that `recon.data.room_scenes` reads.
"""
