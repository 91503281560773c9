"""Common Japanese and Western names, with their readings; combined at random they name nobody in particular."""

from typing import Final

SURNAMES: Final = """
佐藤 サトウ Sato|鈴木 スズキ Suzuki|髙橋 タカハシ Takahashi|田中 タナカ Tanaka
伊藤 イトウ Ito|渡邉 ワタナベ Watanabe|山本 ヤマモト Yamamoto|中村 ナカムラ Nakamura
小林 コバヤシ Kobayashi|加藤 カトウ Kato|吉田 ヨシダ Yoshida|山田 ヤマダ Yamada
佐々木 ササキ Sasaki|山口 ヤマグチ Yamaguchi|松本 マツモト Matsumoto|井上 イノウエ Inoue
木村 キムラ Kimura|林 ハヤシ Hayashi|齋藤 サイトウ Saito|清水 シミズ Shimizu
山﨑 ヤマザキ Yamazaki|阿部 アベ Abe|森 モリ Mori|池田 イケダ Ikeda
橋本 ハシモト Hashimoto|山下 ヤマシタ Yamashita|石川 イシカワ Ishikawa|中島 ナカジマ Nakajima
前田 マエダ Maeda|藤田 フジタ Fujita|後藤 ゴトウ Goto|小川 オガワ Ogawa
岡田 オカダ Okada|村上 ムラカミ Murakami|長谷川 ハセガワ Hasegawa|近藤 コンドウ Kondo
石井 イシイ Ishii|遠藤 エンドウ Endo|青木 アオキ Aoki|坂本 サカモト Sakamoto
藤井 フジイ Fujii|西村 ニシムラ Nishimura|福田 フクダ Fukuda|太田 オオタ Ota
三浦 ミウラ Miura|岡本 オカモト Okamoto|松田 マツダ Matsuda|中川 ナカガワ Nakagawa
中野 ナカノ Nakano|原田 ハラダ Harada|小野 オノ Ono|田村 タムラ Tamura
竹内 タケウチ Takeuchi|金子 カネコ Kaneko|和田 ワダ Wada|中山 ナカヤマ Nakayama
石田 イシダ Ishida|上田 ウエダ Ueda|森田 モリタ Morita|柴田 シバタ Shibata
酒井 サカイ Sakai|工藤 クドウ Kudo|横山 ヨコヤマ Yokoyama|宮崎 ミヤザキ Miyazaki
宮本 ミヤモト Miyamoto|内田 ウチダ Uchida|高木 タカギ Takagi|谷口 タニグチ Taniguchi
安藤 アンドウ Ando|丸山 マルヤマ Maruyama|今井 イマイ Imai|大野 オオノ Ono
"""
GIVEN_NAMES: Final = """
翔太 ショウタ Shota|健太 ケンタ Kenta|大輔 ダイスケ Daisuke|拓也 タクヤ Takuya
直樹 ナオキ Naoki|達也 タツヤ Tatsuya|雄太 ユウタ Yuta|和也 カズヤ Kazuya
誠 マコト Makoto|隆 タカシ Takashi|浩一 コウイチ Koichi|健一 ケンイチ Kenichi
亮 リョウ Ryo|剛 ツヨシ Tsuyoshi|蓮 レン Ren|悠真 ユウマ Yuma
湊 ミナト Minato|陽翔 ハルト Haruto|大和 ヤマト Yamato|颯太 ソウタ Sota
純 ジュン Jun|真一 シンイチ Shinichi|修平 シュウヘイ Shuhei|慎吾 シンゴ Shingo
陽子 ヨウコ Yoko|恵子 ケイコ Keiko|由美子 ユミコ Yumiko|真由美 マユミ Mayumi
美穂 ミホ Miho|香織 カオリ Kaori|愛 アイ Ai|彩 アヤ Aya
美咲 ミサキ Misaki|千尋 チヒロ Chihiro|麻衣 マイ Mai|菜々子 ナナコ Nanako
結衣 ユイ Yui|陽菜 ヒナ Hina|葵 アオイ Aoi|さくら サクラ Sakura
凛 リン Rin|美優 ミユ Miyu|花 ハナ Hana|優子 ユウコ Yuko
智子 トモコ Tomoko|裕美 ヒロミ Hiromi|沙織 サオリ Saori|舞 マイ Mai
"""
WESTERN: Final = (
    "Emma Fischer|Liam Murphy|Olivia Rossi|Noah Dubois|Ava Novak|Lucas Almeida|Mia Larsen|Ethan Clarke|Sofia Moreno"
    "|Jack Thompson|Chloe Bernard|Daniel Kowalski|Grace O'Neill|Henry Schmidt|Isla Campbell|Oscar Lindqvist"
    "|Nina Petrova|Samuel Adeyemi|Priya Sharma|Wei Chen|Linh Nguyen|Minh Tran|Arjun Patel|Hannah Cohen|Mateo Garcia"
)
COMPANIES: Final = (
    "株式会社青空システム", "東雲ソフトウェア株式会社", "㈱みらい物流", "有限会社若葉製作所",
    "株式会社ひなた銀行", "合同会社レモンスタジオ", "北斗電機株式会社",
    "株式会社さざなみ商事", "ことり出版株式会社", "株式会社つばさ航空サービス",
    "Clearwater Analytics Ltd", "Pinecone Robotics Inc.",
)  # fmt: skip
SKILLS: Final = (
    "Python", "Java", "TypeScript", "Go", "Rust", "AWS", "Kubernetes", "SQL", "データ分析", "機械学習",
    "法人営業", "プロジェクトマネジメント", "人事", "経理", "UIデザイン", "英語", "中国語",
    "組込みC", "品質保証", "マーケティング",
)  # fmt: skip
TOPICS: Final = ("Python", "クラウド", "機械学習", "働き方", "キャリア", "デザイン", "営業", "女性活躍", "新卒", "海外")


def triples(text: str) -> list[tuple[str, str, str]]:
    """Return (kanji, kana, romaji) of each name in one of the tables above."""
    entries = (entry for line in text.strip().splitlines() for entry in line.split("|"))
    return [(kanji, kana, romaji) for kanji, kana, romaji in (entry.split() for entry in entries)]
