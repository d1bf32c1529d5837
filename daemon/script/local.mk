# daemon/script
