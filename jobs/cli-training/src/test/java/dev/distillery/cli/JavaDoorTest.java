package dev.distillery.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.spark.job.Job;
import java.io.IOException;
import java.io.StringWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.ServiceLoader;
import java.util.regex.Pattern;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The Java that the documentation shows is Java that compiles. */
class JavaDoorTest {
  private static final Path ROOT = Path.of("../..").toAbsolutePath().normalize();
  private static final Pattern IN_JAVADOC =
      Pattern.compile("<pre>\\{@code\\n(.*?)\\n \\* }</pre>", Pattern.DOTALL);
  private static final Pattern IN_MARKDOWN = Pattern.compile("```java\\n(.*?)```", Pattern.DOTALL);

  @TempDir Path classes;

  @Test
  void eachJobShowsHowJavaCallsIt() throws IOException {
    List<JavaFileObject> snippets = new ArrayList<>();
    for (Job<?, ?> job : ServiceLoader.load(Job.class)) {
      String name = job.getClass().getSimpleName();
      List<String> found = found(IN_JAVADOC, source(job.getClass()));
      assertThat(found).as("Snippets in the Javadoc of " + name).hasSize(1);
      assertThat(found.get(0).lines()).as(name).hasSizeLessThanOrEqualTo(6);
      snippets.add(snippet("In" + name, found.get(0).replaceAll("(?m)^ \\* ?", "")));
    }
    assertThat(snippets).hasSizeGreaterThanOrEqualTo(8);
    assertThat(errors(snippets)).isEmpty();
  }

  @Test
  void theDocumentationsJavaCompiles() throws IOException {
    List<JavaFileObject> snippets = new ArrayList<>();
    for (String block : found(IN_MARKDOWN, Files.readString(ROOT.resolve("docs/java.md")))) {
      snippets.add(
          block.startsWith("import ")
              ? new Source("Unique", block)
              : snippet("Block" + snippets.size(), block));
    }
    snippets.add(
        new Source("JavaDoor", Files.readString(ROOT.resolve("submit/examples/JavaDoor.java"))));
    assertThat(snippets).hasSizeGreaterThanOrEqualTo(4);
    assertThat(errors(snippets)).isEmpty();
  }

  @Test
  void javaThatDoesNotCompileIsSeen() {
    assertThat(errors(List.of(snippet("Wrong", "DedupSummary none = new DedupJob().run(spark);"))))
        .contains("Wrong.java");
  }

  private static String source(Class<?> job) throws IOException {
    String file = job.getName().replace('.', '/') + ".java";
    for (String module : List.of("jobs/data", "jobs/training")) {
      Path path = ROOT.resolve(module).resolve("src/main/java").resolve(file);
      if (Files.exists(path)) {
        return Files.readString(path);
      }
    }
    throw new IOException("No source of " + job);
  }

  private static List<String> found(Pattern pattern, String text) {
    return pattern.matcher(text).results().map(match -> match.group(1)).toList();
  }

  private static Source snippet(String name, String body) {
    var jobs = new StringBuilder();
    for (Job<?, ?> job : ServiceLoader.load(Job.class)) {
      jobs.append("import ").append(job.getClass().getPackageName()).append(".*; ");
    }
    return new Source(
        name,
        jobs
            + " import dev.distillery.core.run.*; import dev.distillery.core.teacher.*; import"
            + " dev.distillery.datasets.registry.Sources; import java.util.List; import"
            + " dev.distillery.training.run.*; import dev.distillery.training.student.*; import"
            + " dev.distillery.training.tokens.*; import org.apache.spark.sql.*; class "
            + name
            + " { static void run(SparkSession spark) {\n"
            + body
            + "\n} }");
  }

  /** What the compiler says; empty where all is well. */
  private String errors(List<? extends JavaFileObject> sources) {
    String classPath =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    var said = new StringWriter();
    boolean compiled =
        ToolProvider.getSystemJavaCompiler()
            .getTask(
                said,
                null,
                null,
                List.of("-proc:none", "-nowarn", "-d", classes.toString(), "-cp", classPath),
                null,
                sources)
            .call();
    return compiled ? "" : said.toString();
  }

  private static final class Source extends SimpleJavaFileObject {
    private final String text;

    Source(String name, String text) {
      super(URI.create("string:///" + name + ".java"), Kind.SOURCE);
      this.text = text;
    }

    @Override
    public CharSequence getCharContent(boolean ignoreEncodingErrors) {
      return text;
    }
  }
}
