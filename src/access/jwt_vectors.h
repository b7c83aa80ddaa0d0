/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and tokens made by another library (Python's cryptography), for the tests of jwt.h. */
#ifndef ACCESS_JWT_VECTORS_H
#define ACCESS_JWT_VECTORS_H

static const char vector_keys[] =
    "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"e1\",\"use\":\"sig\",\"alg\":"
    "\"ES256\",\"x\":\"FBwiPLpoEmAnlUlhLPsaJ2cSqN_BHc6vnxrXPb55Y6E\",\"y\":\"P589kreW6zbN"
    "o4zrBG5LB67j1Ia7VS_Y10xeohxCGT8\"},{\"kty\":\"RSA\",\"kid\":\"r1\",\"use\":\"sig\","
    "\"alg\":\"RS256\",\"n\":\"xWVGCQofnQ1iBO9GOr0O16UJlXtprjr8iGucMP5uT8Yk9Tu9NZiVD9DTA7"
    "o_nCVVGPjr-2w1btJDHrzC9I8yYHrwwVHt_AkPMc-a10HCPMqFQ7cpsDOTf8nzQXWTZQWVr6W9CyQyL7HP-W"
    "qeZV5ZCjrrJnHlN7kfETYxcpT-5SrP0K_8jaYKEI8bPpKtwmK0eHSWaq1ayNmx0fgEuAwt0AFFP15sHLkpuy"
    "csoHJz87qIYHYC3Mci1HIJNZHlkDZF53g4AwMIBpVgeNqOCNrOTJCutq2PkW6MSdiY1LLu9gcFpAN91J15jN"
    "j2c__j09cEBLYGmuSef1c25q0pkuiu2Q\",\"e\":\"AQAB\"},{\"kty\":\"OKP\",\"crv\":\"Ed2551"
    "9\",\"kid\":\"d1\",\"x\":\"E4vu8FP69kR3FKiFXZOe2r6FbDNBbXQ1QxvRAlxZnP8\"},{\"kty\":"
    "\"RSA\",\"kid\":\"enc\",\"use\":\"enc\",\"n\":\"xWVGCQofnQ1iBO9GOr0O16UJlXtprjr8iGuc"
    "MP5uT8Yk9Tu9NZiVD9DTA7o_nCVVGPjr-2w1btJDHrzC9I8yYHrwwVHt_AkPMc-a10HCPMqFQ7cpsDOTf8nz"
    "QXWTZQWVr6W9CyQyL7HP-WqeZV5ZCjrrJnHlN7kfETYxcpT-5SrP0K_8jaYKEI8bPpKtwmK0eHSWaq1ayNmx"
    "0fgEuAwt0AFFP15sHLkpuycsoHJz87qIYHYC3Mci1HIJNZHlkDZF53g4AwMIBpVgeNqOCNrOTJCutq2PkW6M"
    "SdiY1LLu9gcFpAN91J15jNj2c__j09cEBLYGmuSef1c25q0pkuiu2Q\",\"e\":\"AQAB\"},{\"kty\":\""
    "EC\",\"crv\":\"P-384\",\"kid\":\"big\",\"x\":\"AA\",\"y\":\"AA\"},{\"kty\":\"RSA\","
    "\"kid\":\"r5\",\"alg\":\"RS512\",\"n\":\"xWVGCQofnQ1iBO9GOr0O16UJlXtprjr8iGucMP5uT8Y"
    "k9Tu9NZiVD9DTA7o_nCVVGPjr-2w1btJDHrzC9I8yYHrwwVHt_AkPMc-a10HCPMqFQ7cpsDOTf8nzQXWTZQW"
    "Vr6W9CyQyL7HP-WqeZV5ZCjrrJnHlN7kfETYxcpT-5SrP0K_8jaYKEI8bPpKtwmK0eHSWaq1ayNmx0fgEuAw"
    "t0AFFP15sHLkpuycsoHJz87qIYHYC3Mci1HIJNZHlkDZF53g4AwMIBpVgeNqOCNrOTJCutq2PkW6MSdiY1LL"
    "u9gcFpAN91J15jNj2c__j09cEBLYGmuSef1c25q0pkuiu2Q\",\"e\":\"AQAB\"}]}";
static const char vector_es256[] =
    "eyJ0eXAiOiAiSldUIiwgImFsZyI6ICJFUzI1NiIsICJraWQiOiAiZTEifQ.eyJpc3MiOiAiaHR0cHM6Ly9pc"
    "3N1ZXIuZXhhbXBsZSIsICJhdWQiOiBbIm90aGVyIiwgImFwcCJdLCAic3ViIjogImFsaWNlIiwgImV4cCI6I"
    "DE4MDAwMDA2MDAsICJuYmYiOiAxNzk5OTk5MDAwLCAiaWF0IjogMTc5OTk5OTAwMC41LCAicm9sZSI6ICJhZ"
    "G1pbiJ9.yekR84t069rPBu3IlmQ3kswk0Rk7w7yAelAJUj5f2qzVV6uskzQjJgcno156VHuvakCuJsdjFXfY"
    "T2efO6s2NA";
static const char vector_rs256[] =
    "eyJ0eXAiOiAiSldUIiwgImFsZyI6ICJSUzI1NiIsICJraWQiOiAicjEifQ.eyJpc3MiOiAiaHR0cHM6Ly9pc"
    "3N1ZXIuZXhhbXBsZSIsICJhdWQiOiBbIm90aGVyIiwgImFwcCJdLCAic3ViIjogImFsaWNlIiwgImV4cCI6I"
    "DE4MDAwMDA2MDAsICJuYmYiOiAxNzk5OTk5MDAwLCAiaWF0IjogMTc5OTk5OTAwMC41LCAicm9sZSI6ICJhZ"
    "G1pbiJ9.nzBmTLZphxJk1RBBrdO4ufErrLHogJuLYTs0rP8HYjR2t_Rao7EKub4RvWbe1VE69hIurpZPJdty"
    "d9sF7WKHhQWVs6p7DoT_MpAbvyh1JxgSYiveNrR2pJU3mtFqF63aCaia6cJORADIm5m8lkpFtuLyXrkyRR1V"
    "gdRnW5y-3aOea5AvxaX1skifn8YMkareim5OlRJ23riC-pXpcTjs3yHrDZdHfxiAa9ViBHR3Y6mQ0fFqJ5bB"
    "4829zqRiBYLL1XJ_g8PKPF643swr4HvG_ICADYzuvP50QUNCHrYJV1MqpiFMWPFx6q5n6woWpR8Pui4DZYOe"
    "B0SSQT7NPQV2Mg";
static const char vector_eddsa[] =
    "eyJ0eXAiOiAiSldUIiwgImFsZyI6ICJFZERTQSIsICJraWQiOiAiZDEifQ.eyJpc3MiOiAiaHR0cHM6Ly9pc"
    "3N1ZXIuZXhhbXBsZSIsICJhdWQiOiBbIm90aGVyIiwgImFwcCJdLCAic3ViIjogImFsaWNlIiwgImV4cCI6I"
    "DE4MDAwMDA2MDAsICJuYmYiOiAxNzk5OTk5MDAwLCAiaWF0IjogMTc5OTk5OTAwMC41LCAicm9sZSI6ICJhZ"
    "G1pbiJ9.LcZkkWeM1mhcobsEKTApY7DWYekPDxgzE-U2ZxnmWQj-XDlcC3BrnN21YljsPtak8DhI8znNDR87"
    "lsvkabVcBQ";

#endif
