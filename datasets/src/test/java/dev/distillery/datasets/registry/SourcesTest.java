package dev.distillery.datasets.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.spark.license.Licenses;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SourcesTest {
  @ParameterizedTest
  @EnumSource
  void theTermsOfEverySourceAreKnown(Sources source) {
    assertThat(Licenses.of(source.registryName())).isPresent();
  }
}
