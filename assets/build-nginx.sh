# Builds nginx with its RTMP module: SIZE_OF_NGINX SIZE_OF_MODULE, both tarballs on stdin, the program on stdout. Run by the
# agent in an empty place, by a user without a network. The server's nginx.conf names every path, so none is built in. No
# braces behind a dollar here: systemd would take them for its own.
exec 3>&1 >&2
mkdir nginx module
head -c "$1" >nginx.tar
head -c "$2" >module.tar
tar -xf nginx.tar -C nginx --strip-components=1
tar -xf module.tar -C module --strip-components=1
cd nginx
./configure --prefix=/run/pistream-server --with-http_ssl_module --with-stream --with-stream_ssl_module --add-module=../module
make -j2
strip objs/nginx
objs/nginx -V
cat objs/nginx >&3
