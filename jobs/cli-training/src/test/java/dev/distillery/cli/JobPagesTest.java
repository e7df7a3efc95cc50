package dev.distillery.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.core.run.Command;
import dev.distillery.core.run.OptionsKit;
import dev.distillery.core.run.ProgressListener;
import dev.distillery.core.teacher.testing.FetchedModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A command's page is made of what the command says of itself; {@code -Dpages.write} writes it. */
class JobPagesTest {
  private static final Path PAGES = FetchedModel.root().resolve("docs/jobs");

  static Stream<Command<?>> commands() {
    return new CommandLineTool(
            System.out, System.err, ProgressListener.standardError(), Clock.systemUTC())
        .commands().stream();
  }

  @ParameterizedTest
  @MethodSource("commands")
  void thePageAgreesWithTheCommand(Command<?> command) throws IOException {
    Path page = PAGES.resolve(command.name() + ".md");
    String text =
        "# "
            + command.name()
            + "\n"
            + command.purpose()
            + "\n\n"
            + command.manual().markdown()
            + "\n| option | |\n|---|---|\n"
            + OptionsKit.table(command.optionsType());
    if (System.getProperty("pages.write") != null) {
      Files.createDirectories(PAGES);
      Files.writeString(page, text);
    }
    assertThat(page).as("Run this test with -Dpages.write").content().isEqualTo(text);
  }
}
