/*
 * What the kernel takes for a request, whoever serves it: waits for events, reads a request, sends an answer that is
 * always the same. It understands nothing and runs nothing, so no server can cost less; the rest is what a server adds.
 *
 * Usage: floor ADDRESS. An address with a slash is a Unix socket, and each connection ends with its answer, as behind
 * nginx's uwsgi_pass; HOST:PORT is TCP, and connections are kept.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <err.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { EVENTS = 64, ACCEPTS = 16, BACKLOG = 1024 };

/* As hostler sends it for `apps/hello.py`, so that as many bytes go out. */
static const char KEPT[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 14\r\n"
                           "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n\r\nHello, world!\n";
static const char CLOSED[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 14\r\n\r\nHello, world!\n";

static int listen_at(const char *address) {
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    struct sockaddr_in remote = {.sin_family = AF_INET};
    int is_unix = strchr(address, '/') != NULL, yes = 1;
    int listener = socket(is_unix ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (is_unix) {
        strncpy(local.sun_path, address, sizeof local.sun_path - 1);
        unlink(address);
    } else {
        char host[INET_ADDRSTRLEN] = {0};
        const char *port = strchr(address, ':');
        if (port == NULL || port - address >= (long)sizeof host)
            errx(64, "no address: %s", address);
        memcpy(host, address, port - address);
        if (inet_pton(AF_INET, host, &remote.sin_addr) != 1)
            errx(64, "no IPv4 address: %s", host);
        remote.sin_port = htons(atoi(port + 1));
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
        setsockopt(listener, IPPROTO_TCP, 1 /* TCP_NODELAY */, &yes, sizeof yes);
    }
    int bound = is_unix ? bind(listener, (struct sockaddr *)&local, sizeof local)
                        : bind(listener, (struct sockaddr *)&remote, sizeof remote);
    if (bound != 0 || listen(listener, BACKLOG) != 0)
        err(1, "%s", address);
    return listener;
}

/* Answers one request; gives whether the connection may have another. */
static int answer(int client, int is_kept) {
    static char request[16384];
    ssize_t length = recv(client, request, sizeof request, 0);
    if (length <= 0)
        return length < 0 && errno == EAGAIN;
    ssize_t sent = is_kept ? send(client, KEPT, sizeof KEPT - 1, MSG_NOSIGNAL)
                           : send(client, CLOSED, sizeof CLOSED - 1, MSG_NOSIGNAL);
    return is_kept && sent > 0;
}

static void watch(int queue, int socket, unsigned events) {
    struct epoll_event event = {.events = events, .data.fd = socket};
    if (epoll_ctl(queue, EPOLL_CTL_ADD, socket, &event) != 0)
        err(1, "epoll_ctl");
}

static void accept_some(int queue, int listener, int is_kept) {
    for (int count = 0; count < ACCEPTS; count++) {
        int client = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (client < 0)
            return;
        /* The request of a front server comes with its connection. One that has not would have to be waited for. */
        if (answer(client, is_kept))
            watch(queue, client, EPOLLIN | EPOLLRDHUP | EPOLLET);
        else
            close(client);
    }
}

int main(int count, char **arguments) {
    if (count != 2)
        errx(64, "usage: floor ADDRESS");
    int is_kept = strchr(arguments[1], '/') == NULL;
    int listener = listen_at(arguments[1]), queue = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event ready[EVENTS];
    watch(queue, listener, EPOLLIN);
    for (;;) {
        int events = epoll_wait(queue, ready, EVENTS, -1);
        for (int index = 0; index < events; index++) {
            int socket = ready[index].data.fd;
            if (socket == listener)
                accept_some(queue, listener, is_kept);
            else if (!answer(socket, is_kept))
                close(socket);
        }
    }
}
