"""The world on this machine, for rehearsals on real protocols; needs the extra [rig]."""
