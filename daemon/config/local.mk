# daemon/config
