/* An HTTP server in an image that has nothing but this program: no shell, no libraries. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char answer[] =
    "HTTP/1.1 200 OK\r\n"
    "content-type: text/plain\r\n"
    "content-length: 19\r\n"
    "connection: close\r\n"
    "\r\n"
    "Hello from scratch\n";

static void end(int signal_number) {
  (void)signal_number;
  _exit(0);
}

/* Reads until the empty line that ends the headers; 0 when it never came. */
static int read_headers(int client) {
  char headers[16 * 1024];
  size_t length = 0;
  while (length < sizeof headers - 1) {
    ssize_t got = read(client, headers + length, sizeof headers - 1 - length);
    if (got <= 0) return 0;
    length += (size_t)got;
    headers[length] = '\0';
    if (strstr(headers, "\r\n\r\n")) return 1;
  }
  return 0;
}

int main(void) {
  const char *port = getenv("PORT");
  struct sockaddr_in address = {
      .sin_family = AF_INET,
      .sin_port = htons((unsigned short)atoi(port ? port : "8080")),
      .sin_addr.s_addr = htonl(INADDR_ANY),
  };
  /* The first process of a container gets no default for SIGTERM. */
  signal(SIGTERM, end);
  signal(SIGPIPE, SIG_IGN);

  int server = socket(AF_INET, SOCK_STREAM, 0);
  if (server < 0 || bind(server, (struct sockaddr *)&address, sizeof address) != 0 || listen(server, 128) != 0) {
    perror("listen");
    return 1;
  }
  for (;;) {
    int client = accept(server, NULL, NULL);
    if (client < 0) continue;
    struct timeval patience = {.tv_sec = 5};
    setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (read_headers(client) && write(client, answer, sizeof answer - 1) < 0) perror("write");
    close(client);
  }
}
