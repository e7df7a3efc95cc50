package dev.distillery.training.card;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.distillery.core.run.JobException;
import dev.distillery.core.run.RunOptions.Use;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BaseModelTermsTest {
  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    "apache-2.0, true",
    "mit, true",
    "llama2, false",
    "llama3.1, false",
    "cc-by-nc-4.0, false",
    "my-terms, false"
  })
  void aCardsLicenseDecidesAboutCommercialUse(String license, boolean allowed) throws IOException {
    Files.writeString(
        folder.resolve("README.md"), "---\ntags: [x]\nlicense: " + license + "\n---\n# A model\n");

    BaseModelTerms terms = BaseModelTerms.of(folder);

    assertThat(terms.license()).contains(license);
    assertThat(terms.objection(Use.COMMERCIAL).isEmpty()).isEqualTo(allowed);
    assertThat(terms.objection(Use.RESEARCH)).isEmpty();
  }

  @Test
  void aModelThatSaysNothingIsRefusedForCommercialUseOnly() throws IOException {
    BaseModelTerms none = BaseModelTerms.of(folder);

    assertThatThrownBy(() -> none.check("m", Optional.of(Use.COMMERCIAL)))
        .isInstanceOf(JobException.class)
        .hasMessageContaining("--use")
        .hasMessageContaining("names no license");
    assertThatCode(() -> none.check("m", Optional.empty())).doesNotThrowAnyException();
  }

  @Test
  void aLicenseInTheTextOfACardIsNotItsHead() {
    assertThat(BaseModelTerms.ofCard("# A model\nlicense: mit\n").license()).isEmpty();
    assertThat(BaseModelTerms.ofCard("---\nlicense: other\nlicense_name: acme\n---\n").license())
        .contains("acme");
  }
}
