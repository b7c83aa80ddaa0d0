/* SPDX-License-Identifier: Apache-2.0 */
/* Where the C++ library has no files (libc++ for wasm32), toml++ must still find the class that its
 * unused parse_file names.  It opens nothing. */
#pragma once

#include <sstream>
#include <string>

namespace std
{
template <> class basic_ifstream<char> : public istringstream
{
  public:
    void open(const string &, int)
    {
        setstate(failbit);
    }
    bool is_open() const
    {
        return false;
    }
    void close()
    {
    }
};
} // namespace std
