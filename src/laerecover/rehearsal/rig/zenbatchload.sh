#!/bin/sh
# Stands in for Zenoss: a batch is a device class, then one device a line.
[ -r "$1" ] || { echo "zenbatchload: no such file" >&2; exit 2; }
grep -q '^/Devices/' "$1" || { echo "zenbatchload: no device class" >&2; exit 1; }
cat "$1" >>@LOADED@
