package dev.distillery.jobs.curate;

import dev.distillery.core.filter.RowFilters;
import dev.distillery.core.run.Bounds;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.Required;
import dev.distillery.core.run.RunOptions;
import dev.distillery.core.run.Validated;
import dev.distillery.core.run.WithBuilder;
import dev.distillery.core.text.PersonalData;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.Option;

/**
 * What {@code curate} can be told; {@code --use} says which rows stay.
 *
 * @param run what every job can be told
 * @param input tables or files, all of one canonical table, each with a weight
 * @param table canonical table that files of one's own hold; a named table is its own
 * @param filter rules that drop rows, in their order, as {@link RowFilters} reads them
 * @param redact kinds of personal data that placeholders replace
 * @param decontaminate evaluation tables or files whose texts no row may hold
 * @param as another table that the rows become
 * @param mix splits, and how much of each input and source is taken
 * @param outputTable name of the table of kept rows
 * @param export the rows as a Hugging Face data set
 */
@WithBuilder
public record CurateOptions(
    RunOptions run,
    @Required("name a table, table@run_id, or files")
        @Option(
            names = "--input",
            paramLabel = "REF[=WEIGHT]",
            description =
                "Table, table@run_id, or files; may be repeated. A weight is how often its rows are"
                    + " taken: 0.5 is half of them, 2 is each twice.")
        List<String> input,
    @Option(
            names = "--table",
            paramLabel = "NAME",
            defaultValue = "instructions",
            description =
                "Canonical table that files of your own hold; ignored for a table's name.")
        String table,
    @Option(
            names = "--filter",
            paramLabel = "NAME[:key=value,...]",
            description =
                "Rule that drops rows; may be repeated, and the first that objects is named."
                    + " length, refusal, blocked, alpaca-cleaned, gopher-repetition,"
                    + " gopher-quality, c4, score, language, url; see docs/curate.md for their"
                    + " keys.")
        List<String> filter,
    @Option(
            names = "--redact",
            paramLabel = "KIND,...",
            split = ",",
            description =
                "Personal data and secrets that placeholders replace: email, phone, ip, iban, card,"
                    + " key.")
        List<String> redact,
    @Option(
            names = "--decontaminate",
            paramLabel = "REF",
            description =
                "Evaluation table or files: rows that share 13 words in a row with one are dropped;"
                    + " may be repeated.")
        List<String> decontaminate,
    @Bounds(oneOf = "conversations")
        @Option(
            names = "--as",
            paramLabel = "TABLE",
            description =
                "Table that the rows become: of preferences, conversations of prompt and chosen"
                    + " answer.")
        Optional<String> as,
    MixOptions mix,
    @Option(
            names = "--output-table",
            paramLabel = "NAME",
            description = "Name of the table of kept rows. Default: the input table's name.")
        Optional<String> outputTable,
    HubOptions export)
    implements Validated {
  /** Named setters over the declared defaults. */
  public static CurateOptionsBuilder builder() {
    return CurateOptionsBuilder.builder(OptionsBinder.defaults(CurateOptions.class));
  }

  /** The kinds that {@code --redact} names. */
  Set<PersonalData> kinds() {
    return Stream.of(PersonalData.values())
        .filter(kind -> redact.contains(kind.optionName()))
        .collect(Collectors.toSet());
  }

  @Override
  public List<String> violations() {
    List<String> violations = new ArrayList<>(RowFilters.violations(filter, Optional.empty()));
    List<String> kinds = Stream.of(PersonalData.values()).map(PersonalData::optionName).toList();
    redact.stream()
        .filter(kind -> !kinds.contains(kind))
        .forEach(
            kind ->
                violations.add(
                    "Option --redact: expected some of "
                        + String.join(", ", kinds)
                        + ", found '"
                        + kind
                        + "'"));
    mix.takeSplit().stream()
        .filter(name -> export.export().isPresent() && !HubExport.takesSplit(name))
        .forEach(
            name ->
                violations.add(
                    "Option --take-split: '"
                        + name
                        + "' is no name of a split that --export can write"));
    return violations;
  }
}
