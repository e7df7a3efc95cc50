package dev.distillery.core.filter;

import dev.distillery.core.text.LanguageId;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Keeps or drops rows by language: that of the table's column, else that of the text. A text whose
 * language cannot be told is dropped where languages are kept, and kept where some are skipped.
 */
record LanguageRule(ArrayList<String> keep, ArrayList<String> skip) implements RowRule {
  private static final long serialVersionUID = 1L;

  static RowRule of(FilterSpec spec) {
    List<String> keep = spec.words("keep");
    List<String> skip = spec.words("skip");
    if (keep.isEmpty() == skip.isEmpty()) {
      spec.wrong("expected keep or skip, with codes of ISO 639-1: keep=en+de");
    }
    for (List<String> codes : List.of(keep, skip)) {
      codes.stream()
          .filter(code -> !code.matches("[a-z]{2,3}"))
          .forEach(code -> spec.wrong("expected a code of ISO 639-1, found '" + code + "'"));
    }
    return new LanguageRule(new ArrayList<>(keep), new ArrayList<>(skip));
  }

  @Override
  public Judged judge(RowText row) {
    Optional<String> language = row.language().or(() -> LanguageId.detect(row.whole()));
    boolean kept =
        keep.isEmpty()
            ? language.isEmpty() || !skip.contains(language.get())
            : language.isPresent() && keep.contains(language.get());
    return kept ? Judged.kept(row) : Judged.dropped(row, "language", language.orElse("unknown"));
  }
}
