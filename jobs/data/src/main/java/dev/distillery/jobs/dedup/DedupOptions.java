package dev.distillery.jobs.dedup;

import dev.distillery.core.run.Bounds;
import dev.distillery.core.run.OnlyWith;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.Required;
import dev.distillery.core.run.RunOptions;
import dev.distillery.core.run.WithBuilder;
import dev.distillery.core.text.RougeTokenizer;
import dev.distillery.core.text.UnicodeTokenizer;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/**
 * What the dedup job can be told.
 *
 * @param run what every job can be told
 * @param input tables or files whose rows are compared; all of one canonical table
 * @param table canonical table that files of one's own hold; a named table is its own
 * @param columns columns whose texts, one after the other, are compared: texts or messages
 * @param groupBy column whose equal values make rows one, kept or dropped together
 * @param orderBy columns of the total order; id and a hash of the row follow, so that it is total
 * @param against pools that are kept already and come before every row
 * @param metric what is compared
 * @param threshold ROUGE-L F, from 0 to 1, above which a row is a duplicate
 * @param tokenizer rouge or unicode
 * @param outputTable name of the table of kept rows
 * @param minhashTables hash tables of MinHashLSH: more find more
 * @param evaluate also runs the exact gate, and reports precision and recall against it
 * @param neighbors how many of its most similar texts are listed for a text; 0 for no table
 * @param neighborsAbove ROUGE-L F, from 0 to 1, that they exceed
 */
@WithBuilder
public record DedupOptions(
    RunOptions run,
    @Required("name a table or files")
        @Option(
            names = "--input",
            paramLabel = "REF",
            description = "Table, table@run_id, or files; may be repeated.")
        List<String> input,
    @Option(
            names = "--table",
            paramLabel = "NAME",
            defaultValue = "instructions",
            description =
                "Canonical table that files of your own hold; ignored for a table's name.")
        String table,
    @Option(
            names = "--columns",
            paramLabel = "NAMES",
            split = ",",
            description =
                "Columns that are compared, together. Default: instruction, messages, prompt or"
                    + " text, as the table has it.")
        List<String> columns,
    @Option(
            names = "--group-by",
            paramLabel = "COLUMN",
            description =
                "Rows with the same value here are one, and must have the same text. Default:"
                    + " task_id where the table has it, else id.")
        Optional<String> groupBy,
    @Option(
            names = "--order-by",
            paramLabel = "COLUMNS",
            split = ",",
            description =
                "Columns of the total order, ascending; id and a hash of all columns always"
                    + " follow. Default: these two alone.")
        List<String> orderBy,
    @Option(
            names = "--against",
            paramLabel = "REF",
            description = "Pool that is kept already: seeds, an earlier run; may be repeated.")
        List<String> against,
    @Option(
            names = "--metric",
            defaultValue = "rouge-l",
            description =
                "rouge-l: exact ROUGE-L. exact: equal text after Unicode, case and space are"
                    + " normalised. minhash: ROUGE-L of the candidates that MinHashLSH finds.")
        Metric metric,
    @Bounds(atLeast = 0, atMost = 1)
        @Option(
            names = "--threshold",
            paramLabel = "F",
            defaultValue = "0.7",
            description = "A row is dropped if an earlier kept one scores above this.")
        double threshold,
    @Bounds(oneOf = {RougeTokenizer.NAME, UnicodeTokenizer.NAME})
        @Option(
            names = "--tokenizer",
            defaultValue = "rouge",
            description = "rouge: a-z and 0-9, as rouge_score. unicode: any language.")
        String tokenizer,
    @Option(
            names = "--output-table",
            paramLabel = "NAME",
            description = "Name of the table of kept rows. Default: the input table's name.")
        Optional<String> outputTable,
    @OnlyWith(option = "--metric", is = "minhash")
        @Bounds(atLeast = 1, atMost = 1024)
        @Option(
            names = "--minhash-tables",
            paramLabel = "N",
            defaultValue = "16",
            description = "Hash tables of MinHashLSH: more find more and cost more.")
        int minhashTables,
    @OnlyWith(option = "--metric", is = "minhash")
        @Option(
            names = "--evaluate",
            defaultValue = "false",
            description = "Also runs rouge-l, and reports precision and recall.")
        boolean evaluate,
    @OnlyWith(
            option = "--metric",
            is = {"rouge-l", "minhash"})
        @Bounds(atLeast = 0, atMost = 1000)
        @Option(
            names = "--neighbors",
            paramLabel = "K",
            defaultValue = "0",
            description =
                "Also writes the table neighbors: the K most similar other texts of each. Costs as"
                    + " much time as there are pairs above --neighbors-above.")
        int neighbors,
    @OnlyWith(option = "--neighbors")
        @Bounds(atLeast = 0, atMost = 1)
        @Option(
            names = "--neighbors-above",
            paramLabel = "F",
            defaultValue = "0.5",
            description = "ROUGE-L F that a neighbor exceeds; a low one costs much.")
        double neighborsAbove) {
  /** Named setters over the declared defaults. */
  public static DedupOptionsBuilder builder() {
    return DedupOptionsBuilder.builder(OptionsBinder.defaults(DedupOptions.class));
  }

  /** What two texts are compared by. */
  public enum Metric {
    ROUGE_L,
    EXACT,
    MINHASH
  }
}
