package dev.distillery.cli;

import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Reads tables as an analyst would, without Spark. */
final class DuckDb {
  private DuckDb() {}

  /** Rows of a query, each as one text with a bar between two values. */
  static List<String> rows(String sql) throws SQLException {
    try (var connection = DriverManager.getConnection("jdbc:duckdb:");
        var statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      var result = new ArrayList<String>();
      int columns = rows.getMetaData().getColumnCount();
      while (rows.next()) {
        result.add(
            IntStream.rangeClosed(1, columns)
                .mapToObj(column -> value(rows, column))
                .collect(Collectors.joining("|")));
      }
      return result;
    }
  }

  private static String value(ResultSet rows, int column) {
    try {
      return String.valueOf(rows.getString(column));
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }
}
