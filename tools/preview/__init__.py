"""The preview of a deployment on a pull or merge request: `tools/preview/preview.sh`."""
