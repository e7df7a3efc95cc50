package dev.distillery.core.teacher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.distillery.core.teacher.testing.FetchedModel;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code submit/fetch-model} as scripts call it. */
@Timeout(300)
class FetchModelIT {
  private static final String NAME = "SmolLM2-135M-Instruct.Q4_1.gguf";

  private static Path model = Path.of("");

  @TempDir private Path cache;

  /** How a call ended. */
  private record Ended(int code, String out, String err) {}

  @BeforeAll
  static void fetch() {
    Optional<Path> fetched = FetchedModel.path();
    assumeTrue(fetched.isPresent(), "submit/fetch-model cannot bring the model here");
    model = fetched.orElseThrow();
  }

  private Process start(Map<String, String> environment, String... arguments) throws IOException {
    var builder =
        new ProcessBuilder("bash", FetchedModel.root().resolve("submit/fetch-model").toString());
    builder.command().addAll(List.of(arguments));
    builder.environment().put("XDG_CACHE_HOME", cache.toString());
    builder.environment().putAll(environment);
    return builder.start();
  }

  private static Ended end(Process process) throws Exception {
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    String err = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(120, TimeUnit.SECONDS)).isTrue();
    return new Ended(process.exitValue(), out, err);
  }

  private Path cached() {
    return cache.resolve("distillery/models").resolve(NAME);
  }

  @Test
  void cachedFileIsNamedQuietlyAndNothingIsFetched() throws Exception {
    Files.createDirectories(cached().getParent());
    Files.copy(model, cached());

    assertThat(end(start(Map.of("PATH", "/usr/bin:/bin", "PIP_INDEX_URL", "http://127.0.0.1:9/"))))
        .isEqualTo(new Ended(0, cached() + "\n", ""));
  }

  @Test
  void twoAtOnceBothEndWithTheWholeFile() throws Exception {
    Files.createDirectories(cached().getParent());
    Files.writeString(cached(), "damaged");
    Process one = start(Map.of());
    Process two = start(Map.of());
    Ended first = end(one);
    Ended second = end(two);

    assertThat(List.of(first.code(), second.code())).containsOnly(0);
    assertThat(first.out()).isEqualTo(cached() + "\n").isEqualTo(second.out());
    assertThat(first.err() + second.err()).contains(cached() + " is damaged and is fetched again");
    assertThat(Files.mismatch(cached(), model)).isEqualTo(-1);
    try (var left = Files.list(cached().getParent())) {
      assertThat(left).containsExactly(cached());
    }
  }

  @Test
  void withoutTheNetworkItSaysWhatToDoAndMayBeRetried() throws Exception {
    Ended ended = end(start(Map.of("PIP_INDEX_URL", "http://127.0.0.1:9/", "PIP_RETRIES", "0")));

    assertThat(ended.code()).isEqualTo(75);
    assertThat(ended.out()).isEmpty();
    assertThat(ended.err()).contains("check the network and pip's index, or pass a GGUF file");
    try (var left = Files.list(cached().getParent())) {
      assertThat(left).isEmpty();
    }
  }

  @Test
  void argumentsAreRefused() throws Exception {
    assertThat(end(start(Map.of(), "big")))
        .isEqualTo(new Ended(2, "", "fetch-model: takes no arguments, found 'big'\n"));
  }
}
