"""The HOWTO's functions, one file each: each asks the world, acts if need be, asks again."""
