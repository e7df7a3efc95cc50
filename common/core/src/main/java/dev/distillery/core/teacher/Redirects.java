package dev.distillery.core.teacher;

import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Optional;
import java.util.Set;

/** Where servers send requests on to, and whether the key may go there. */
final class Redirects {
  private static final Set<Integer> STATUSES = Set.of(301, 302, 303, 307, 308);

  private Redirects() {}

  /** Where an answer sends its request on to, if it does. */
  static Optional<URI> target(HttpRequest http, HttpResponse<?> answer) {
    try {
      return STATUSES.contains(answer.statusCode())
          ? answer.headers().firstValue("Location").map(http.uri()::resolve)
          : Optional.empty();
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  /** Whether an answer may be followed by the same request: a 301 makes a GET of a POST. */
  static boolean keeps(HttpRequest http, HttpResponse<?> answer) {
    return answer.statusCode() >= 307 || http.method().equals("GET");
  }

  /** To the same server, or to the same host by https: the key goes nowhere else. */
  static boolean mayFollow(URI from, URI to) {
    boolean sameHost = from.getHost().equalsIgnoreCase(to.getHost());
    boolean same = from.getScheme().equalsIgnoreCase(to.getScheme()) && port(from) == port(to);
    return sameHost && (same || "https".equalsIgnoreCase(to.getScheme()));
  }

  private static int port(URI address) {
    boolean given = address.getPort() >= 0;
    return given ? address.getPort() : "https".equalsIgnoreCase(address.getScheme()) ? 443 : 80;
  }
}
