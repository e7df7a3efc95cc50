package dev.distillery.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.core.teacher.testing.FakeAnswer;
import dev.distillery.core.teacher.testing.FakeLlmServer;
import dev.distillery.core.teacher.testing.FetchedModel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the shell does before Java starts. */
class LauncherIT {
  @TempDir Path folder;

  @Test
  void textIsUtf8WhereTheLocaleIsNot() throws Exception {
    try (FakeLlmServer server =
        FakeLlmServer.start(
            request ->
                FakeAnswer.says(
                    request,
                    "Reply: "
                        + request.body().path("messages").path(0).path("content").asText()))) {
      String out =
          bash(
              Map.of("LC_ALL", "C", "OPENAI_API_KEY", "none"),
              "complete --prompt $'Fl\\xc3\\xbcsse' --teacher openai --model fake-model --base-url "
                  + server.baseUrl()
                  + " --warehouse "
                  + folder.resolve("warehouse"));
      assertThat(out).contains("Reply: Flüsse");
    }
  }

  @Test
  void theDriversMemoryIsTakenFromEitherOfItsOptions() throws Exception {
    Path java = folder.resolve("java/bin/java");
    Files.createDirectories(java.getParent());
    Files.writeString(java, "#!/bin/sh\necho \"$@\"\n");
    Files.setPosixFilePermissions(java, PosixFilePermissions.fromString("rwxr-xr-x"));
    Map<String, String> fake = Map.of("JAVA_HOME", folder.resolve("java").toString());
    assertThat(bash(fake, "dedup -- --conf spark.driver.memory=3g --conf a=b"))
        .contains("-Xms3g -Xmx3g");
    assertThat(bash(fake, "dedup -- --driver-memory 2g")).contains("-Xms2g -Xmx2g");
    assertThat(bash(fake, "dedup")).doesNotContain("-Xmx");
  }

  private String bash(Map<String, String> environment, String arguments) throws Exception {
    String launcher = FetchedModel.root().resolve("submit/distillery").toString();
    var builder =
        new ProcessBuilder(List.of("bash", "-c", "exec '" + launcher + "' " + arguments))
            .redirectErrorStream(true);
    builder.environment().remove("SPARK_HOME");
    builder.environment().putAll(environment);
    Process process = builder.start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    process.waitFor();
    return out;
  }
}
