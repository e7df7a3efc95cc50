package dev.distillery.jobs.curate;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

/** Ids of copies are read as their grammar says, however long they are. */
class CopyIdsTest {
  private static final Pattern COPIES = Pattern.compile("(#+copy[0-9]+)+\\z");
  private static final Pattern LAST = Pattern.compile("(#+)copy[0-9]+\\z");

  @Provide
  Arbitrary<String> ids() {
    return Arbitraries.of("a", "#", "##", "copy", "copy2", "#copy2", "##copy13", "7", "\n")
        .list()
        .ofMaxSize(8)
        .map(parts -> String.join("", parts));
  }

  @Property
  void idsAreReadAsTheirGrammarSays(@ForAll("ids") String id) {
    assertThat(CopyIds.original(id)).isEqualTo(COPIES.matcher(id).replaceFirst(""));
    Matcher last = LAST.matcher(id);
    assertThat(CopyIds.signs(id)).isEqualTo(last.find() ? last.group(1).length() : 0);
  }

  /** A regular expression overflows the stack at the first, and takes hours for the second. */
  @Test
  void anIdMayBeLong() {
    String copies = "#copy1".repeat(1_000_000);
    assertThat(CopyIds.original("a" + copies)).isEqualTo("a");
    assertThat(CopyIds.original("a" + copies + "x")).hasSize(6_000_002);
    assertThat(CopyIds.signs("a" + "#".repeat(3_000_000) + "copy1")).isEqualTo(3_000_000);
    assertThat(CopyIds.signs("#".repeat(3_000_000) + "copyx")).isZero();
  }
}
