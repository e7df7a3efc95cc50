package dev.distillery.core.filter;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** The rules of Gopher and C4 beside datatrove's: src/test/golden/gopher_c4.py made the file. */
class GopherAndC4GoldenTest {
  private static JsonNode rows() throws IOException {
    try (InputStream in =
        GopherAndC4GoldenTest.class.getResourceAsStream("/golden/gopher-c4.json")) {
      return new ObjectMapper().readTree(in);
    }
  }

  private static String said(Judged judged) {
    return judged.objection().map(found -> found.detail().replaceFirst(" .*", "")).orElse("");
  }

  private void compare(String filter, String member) throws IOException {
    RowFilters filters = RowFilters.of(List.of(filter), file -> List.of());
    var seen = new TreeSet<String>();
    List<String> differ = new ArrayList<>();
    JsonNode rows = rows();
    for (JsonNode row : rows) {
      String expected = row.get(member).textValue().replaceFirst("^gopher_", "");
      String found = said(filters.judge(RowText.document(row.get("text").textValue())));
      seen.add(expected);
      if (!found.equals(expected)) {
        differ.add(expected + " != " + found + ": " + row.get("text").textValue());
      }
    }
    assertThat(rows.size()).isEqualTo(240);
    assertThat(seen).hasSizeGreaterThan(3).contains("");
    assertThat(differ).isEmpty();
  }

  @Test
  void repetitionIsWhatDatatroveFinds() throws IOException {
    compare("gopher-repetition", "repetition");
  }

  @Test
  void qualityIsWhatDatatroveFinds() throws IOException {
    compare("gopher-quality", "quality");
  }

  @Test
  void pagesOfC4AreDatatrovesToTheCharacter() throws IOException {
    compare("c4", "c4");
    RowFilters filters = RowFilters.of(List.of("c4"), file -> List.of());
    for (JsonNode row : rows()) {
      if (row.get("c4").textValue().isEmpty()) {
        assertThat(filters.judge(RowText.document(row.get("text").textValue())).row().whole())
            .isEqualTo(row.get("c4_text").textValue());
      }
    }
  }
}
