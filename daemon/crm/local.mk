# filled by the room's first sources
