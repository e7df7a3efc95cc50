package dev.distillery.jobs.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.core.run.OptionsBinder;
import dev.distillery.spark.testing.LocalSpark;
import dev.distillery.spark.warehouse.TableReader;
import dev.distillery.spark.warehouse.TableRef;
import dev.distillery.spark.warehouse.Tables;
import dev.distillery.spark.warehouse.Warehouse;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.zip.GZIPOutputStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.hdfs.MiniDFSCluster;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Input and warehouse on a real HDFS: a name node and a data node in this process. */
class IngestHdfsIT {
  @TempDir Path folder;

  private static String dialogue(int i) {
    return String.format(
        Locale.ROOT,
        """
        {"id": "d%1$d", "conversations": [{"from": "human", "value": "What is %1$d and \\"]\\"?"}, \
        {"from": "gpt", "value": "<p>It is <strong>%1$d</strong>.</p>"}]}\
        """,
        i);
  }

  @Test
  void readsSplitsFromHdfsAndCommitsThere() throws IOException {
    Configuration configuration = new Configuration();
    configuration.set(MiniDFSCluster.HDFS_MINIDFS_BASEDIR, folder.resolve("hdfs").toString());
    // The address of the name node is that of the machine in some places, and of the loop in
    // others.
    configuration.set("dfs.namenode.datanode.registration.ip-hostname-check", "false");
    try (MiniDFSCluster cluster =
        new MiniDFSCluster.Builder(configuration).numDataNodes(1).build()) {
      cluster.waitActive();
      String root = cluster.getURI().toString();
      FileSystem files = cluster.getFileSystem();
      String array =
          IntStream.range(0, 3_000)
              .mapToObj(IngestHdfsIT::dialogue)
              .collect(Collectors.joining(", ", "[", "]"));
      put(files, "/raw/a.json", array, false);
      put(files, "/raw/b.json.gz", dialogue(5) + "\n{\"broken\n" + dialogue(4_000), true);

      IngestSummary summary =
          new IngestJob()
              .run(
                  LocalSpark.session(),
                  OptionsBinder.of(IngestOptions.class)
                      .bind(
                          Map.of(
                              "source", List.of("sharegpt"),
                              "input", List.of(root + "/raw/*"),
                              "warehouse", List.of(root + "/warehouse"),
                              "split-bytes", List.of("65536"))));

      assertThat(Ingests.figure(summary, "tasks")).isGreaterThan(4);
      assertThat(Ingests.figure(summary, "units_in")).isEqualTo(3_003);
      assertThat(Ingests.figure(summary, "units_kept")).isEqualTo(3_001);
      assertThat(Ingests.figure(summary, "units_duplicate")).isEqualTo(1);
      assertThat(summary.rejects()).isEqualTo(Map.of("invalid_json", 1L));
      assertThat(summary.tables().get("conversations").path()).startsWith(root);
      Warehouse warehouse =
          Warehouse.at(
              root + "/warehouse", LocalSpark.session().sparkContext().hadoopConfiguration());
      Dataset<Row> rows =
          new TableReader(LocalSpark.session(), warehouse, note -> {})
              .read(TableRef.parse("conversations"), Tables.CONVERSATIONS);
      assertThat(rows.count()).isEqualTo(3_001);
      assertThat(rows.filter("messages[1].content = 'It is **2999**.'").count()).isEqualTo(1);
      assertThat(Ingests.table(summary, "rejects").select("id").head().getString(0))
          .startsWith(root + "/raw/b.json.gz: line 2, byte ");
    }
  }

  private static void put(FileSystem files, String path, String text, boolean gzip)
      throws IOException {
    OutputStream stored = files.create(new org.apache.hadoop.fs.Path(path));
    try (OutputStream out = gzip ? new GZIPOutputStream(stored) : stored) {
      out.write(text.getBytes(StandardCharsets.UTF_8));
    }
  }
}
