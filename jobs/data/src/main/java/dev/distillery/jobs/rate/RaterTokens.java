package dev.distillery.jobs.rate;

import dev.distillery.core.run.JobException;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The token of each rater. They stand in one file, which its owner alone may read: a rater's name,
 * a tab and the link to open, whose part behind # no browser sends. A rater keeps the token that
 * the file has.
 */
final class RaterTokens {
  /** What the names of files of links end in; such a file holds no votes. */
  static final String LINKS = ".links";

  private static final int BYTES = 24;

  private final Map<String, String> tokens;
  private final OptionalInt port;
  private final Map<String, String> raters = new HashMap<>(); // by the token's hash

  private RaterTokens(Map<String, String> tokens, OptionalInt port) {
    this.tokens = tokens;
    this.port = port;
    tokens.forEach((rater, token) -> raters.put(hash(token), rater));
  }

  /** Those of a file for these raters; others' tokens are no longer any. */
  static RaterTokens of(Path file, List<String> raters) throws IOException {
    Map<String, String> known = new HashMap<>();
    OptionalInt port = OptionalInt.empty();
    if (Files.exists(file)) {
      int number = 0;
      for (String line : Files.readAllLines(file)) {
        number++;
        int tab = line.indexOf('\t');
        int mark = line.lastIndexOf('#');
        if (tab < 1 || mark < tab || mark == line.length() - 1) {
          throw JobException.invalid(
              file
                  + ", line "
                  + number
                  + ": expected a rater, a tab and a link; take the file away to make new links");
        }
        known.put(line.substring(0, tab), line.substring(mark + 1));
        port = port(line.substring(tab + 1, mark));
      }
    }
    Map<String, String> tokens = new LinkedHashMap<>();
    var random = new SecureRandom();
    for (String rater : raters) {
      byte[] secret = new byte[BYTES];
      random.nextBytes(secret);
      tokens.put(
          rater,
          known.getOrDefault(
              rater, Base64.getUrlEncoder().withoutPadding().encodeToString(secret)));
    }
    return new RaterTokens(tokens, port);
  }

  private static OptionalInt port(String address) {
    try {
      int port = new URI(address).getPort();
      return port > 0 ? OptionalInt.of(port) : OptionalInt.empty();
    } catch (URISyntaxException e) {
      return OptionalInt.empty();
    }
  }

  /** The port that the links of the file lead to, where they name one. */
  OptionalInt port() {
    return port;
  }

  /**
   * The file of links beside a file of votes; its name is one that readers of folders pass over.
   */
  static Path beside(Path votes) {
    return votes.resolveSibling("." + votes.getFileName() + LINKS);
  }

  /** Writes the links, for the owner alone. */
  void write(Path file, String address) throws IOException {
    var links = new StringBuilder();
    tokens.forEach(
        (rater, token) ->
            links
                .append(rater)
                .append('\t')
                .append(address)
                .append('#')
                .append(token)
                .append('\n'));
    Path folder = file.toAbsolutePath().getParent();
    boolean posix = Files.getFileStore(folder).supportsFileAttributeView("posix");
    FileAttribute<?>[] mine =
        posix
            ? new FileAttribute<?>[] {
              PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))
            }
            : new FileAttribute<?>[0];
    Path temporary = Files.createTempFile(folder, ".links", "", mine);
    Files.writeString(temporary, links);
    Files.move(
        temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  /** Whose token this is. Found by its hash, so that time tells nothing of it. */
  Optional<String> rater(String token) {
    return Optional.ofNullable(raters.get(hash(token)));
  }

  private static String hash(String token) {
    try {
      return HexFormat.of()
          .formatHex(
              MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("SHA-256 is part of every Java platform", e);
    }
  }

  /** Tells nothing. */
  @Override
  public String toString() {
    return "***";
  }
}
