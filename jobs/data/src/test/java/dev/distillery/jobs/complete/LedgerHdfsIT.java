package dev.distillery.jobs.complete;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.spark.fanout.Kills;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.hdfs.MiniDFSCluster;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A ledger on a real HDFS, whose files a killed process leaves open. */
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class LedgerHdfsIT {
  @TempDir Path folder;

  @Test
  void aKilledProcessLosesNothingOfAFileThatItHadOpen() throws Exception {
    Configuration configuration = new Configuration();
    configuration.set(MiniDFSCluster.HDFS_MINIDFS_BASEDIR, folder.resolve("hdfs").toString());
    configuration.set("dfs.namenode.datanode.registration.ip-hostname-check", "false");
    try (MiniDFSCluster cluster =
        new MiniDFSCluster.Builder(configuration).numDataNodes(1).build()) {
      cluster.waitActive();
      Path logs = Files.createDirectories(folder.resolve("logs"));
      Kills.Result result = Kills.run(2, 11, cluster.getURI() + "/ledger", logs, System.err);

      assertThat(result.broken()).as(result.toString()).isEmpty();
      // One file a task and its log of grants: they were appended to, not written anew for each.
      FileSystem files = cluster.getFileSystem();
      List<String> names = new ArrayList<>();
      var all = files.listFiles(new org.apache.hadoop.fs.Path("/ledger/run"), true);
      while (all.hasNext()) {
        names.add(all.next().getPath().getName());
      }
      assertThat(names).hasSizeLessThanOrEqualTo(3 * (2 + 1 + 2));
    }
  }
}
