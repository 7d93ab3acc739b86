"""The notebooks that come with the package: `laeforensics notebook` lays them beside a case."""
