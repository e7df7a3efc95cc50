package dev.distillery.core.filter;

import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Drops rows that were found at some hosts, or at hosts below them. */
record UrlRule(ArrayList<String> hosts) implements RowRule {
  private static final long serialVersionUID = 1L;

  static RowRule of(FilterSpec spec) {
    List<String> hosts = spec.words("skip");
    if (hosts.isEmpty()) {
      spec.wrong("expected hosts: skip=wikipedia.org");
    }
    return new UrlRule(
        new ArrayList<>(hosts.stream().map(host -> host.toLowerCase(Locale.ROOT)).toList()));
  }

  @Override
  public Judged judge(RowText row) {
    Optional<String> host = row.url().flatMap(UrlRule::host);
    return hosts.stream()
            .anyMatch(
                skipped ->
                    host.filter(h -> h.equals(skipped) || h.endsWith("." + skipped)).isPresent())
        ? Judged.dropped(row, "url", row.url().orElse(""))
        : Judged.kept(row);
  }

  private static Optional<String> host(String url) {
    try {
      return Optional.ofNullable(URI.create(url.strip()).getHost())
          .map(host -> host.toLowerCase(Locale.ROOT));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }
}
