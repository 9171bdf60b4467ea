"""Amazon MSK: brokers, their configuration, the user of Milvus and who may connect."""
