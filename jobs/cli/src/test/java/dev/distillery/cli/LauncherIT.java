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
    assertThat(bash(fake, "dedup -- --driver-memory=2g --conf spark.driver.memory=3g"))
        .contains("-Xms2g -Xmx2g");
    assertThat(bash(fake, "dedup -- -c spark.driver.memory=1g")).contains("-Xms1g -Xmx1g");
    Path file =
        Files.writeString(
            folder.resolve("spark.conf"),
            "spark.driver.memoryOverhead 1g\nspark.driver.memory   4g\n");
    assertThat(bash(fake, "dedup -- --properties-file " + file)).contains("-Xms4g -Xmx4g");
    assertThat(
            bash(
                fake,
                "dedup -- --conf 'spark.driver.extraJavaOptions=-Da=b -Dc=\"d e\"'"
                    + " --driver-class-path /x.jar"))
        .contains("-Da=b", "-Dc=d e", "-cp /x.jar:");
    assertThat(bash(fake, "dedup")).doesNotContain("-Xmx");
  }

  @Test
  void theDriverHasTheMemoryThatItsSettingAsksFor() throws Exception {
    Path java = folder.resolve("java/bin/java");
    Files.createDirectories(java.getParent());
    // The real Java, which says how much it may take; the job ends for want of a table.
    Files.writeString(
        java,
        "#!/bin/sh\nexec '"
            + System.getProperty("java.home")
            + "/bin/java' -XX:+PrintFlagsFinal \"$@\"\n");
    Files.setPosixFilePermissions(java, PosixFilePermissions.fromString("rwxr-xr-x"));
    assertThat(
            bash(
                Map.of("JAVA_HOME", folder.resolve("java").toString()),
                "show -- --conf spark.driver.memory=322m"))
        .containsPattern("size_t MaxHeapSize += " + (322L << 20));
  }

  @Test
  void classesComeFromTheBuildsArchiveWhereTheClassPathIsTheBuilds() throws Exception {
    Path log = folder.resolve("classes.log");
    Map<String, String> logged = Map.of("JAVA_TOOL_OPTIONS", "-Xlog:class+load:file=" + log);
    String archived = Main.class.getName() + " source: shared objects file (top)";
    String runs = "runs --warehouse " + Files.createDirectories(folder.resolve("warehouse"));

    assertThat(bash(logged, runs)).doesNotContain("cds");
    assertThat(log).content().contains(archived);

    String more = " -- --driver-class-path " + FetchedModel.root().resolve("submit");
    assertThat(bash(logged, runs + more)).doesNotContain("cds");
    assertThat(log).content().contains(Main.class.getName() + " source: ").doesNotContain(archived);
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
